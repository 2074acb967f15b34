"""Estimates of performance before labels come, and their errors once labels have come."""

"""Versions, the serving pointer and its history."""

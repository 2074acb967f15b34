"""Monitoring of a serving model: its checks, their findings, and the metrics they publish."""

"""Drift: current predictions against the data that the champion was trained on."""

"""Versions that are made elsewhere: the requests of runs for them, their baselines, and their registration."""

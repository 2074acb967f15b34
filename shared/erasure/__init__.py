"""Erasing what is kept of one entity, wherever it lies."""

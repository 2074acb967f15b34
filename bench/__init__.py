"""Measurements of the product, each of which can be run again: ``python -m bench.<name>``."""

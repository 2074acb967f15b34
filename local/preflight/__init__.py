"""Checks of an account before it is deployed to."""

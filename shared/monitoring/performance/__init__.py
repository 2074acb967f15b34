"""Realised performance: metrics on matured labels, their confidence, and tests for their degradation."""

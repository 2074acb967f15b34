"""Hostile traffic of unauthenticated callers, broken clients and attackers, and the response each must get."""

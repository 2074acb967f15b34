"""Hindsight's library: the domain, its adapters, and the one place that puts them together."""

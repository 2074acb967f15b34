"""The embedded AWS as a real account: latencies, limits, refusals and shards, and what holds in it."""

"""Chaos: nothing is lost, doubled or acknowledged but missing while AWS, the network and the functions fail."""

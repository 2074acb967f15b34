"""Many small objects of the lake as few large ones, in which each is still told apart."""

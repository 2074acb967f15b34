"""From signals to demand to a decision: whether to retrain, and why (not)."""

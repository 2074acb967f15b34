"""Which predictions people are asked to label, and what becomes of their answers."""

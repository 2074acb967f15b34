"""The composition root: a function imports the part of it that it needs, and pays for no more."""

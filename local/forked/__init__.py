"""The embedded AWS with functions that start at once: they are forked from a process that has imported their code."""

"""What a model looks like from the outside: distances, tests and metrics over windows of rows."""

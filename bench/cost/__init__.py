"""The cost of the stack, counted: its handlers played in simulated time against a meter of every billable call."""

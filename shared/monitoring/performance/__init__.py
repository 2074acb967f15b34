"""What predictions turned out to be worth: metrics on matured labels, how sure they are, whether they fell."""

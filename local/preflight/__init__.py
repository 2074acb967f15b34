"""What an account would refuse, asked before it is deployed to."""

"""What strangers, broken clients and attackers send, and whether each gets the answer it must get."""

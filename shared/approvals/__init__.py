"""What people say about versions: approval of those that passed the gate, override for those that did not."""

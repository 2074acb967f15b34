"""What operators read: the state of a model, why a prediction has its label, what a version was made from."""

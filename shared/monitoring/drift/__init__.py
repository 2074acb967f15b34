"""What a model is given now, against what its champion was trained on."""

"""What apps send: predictions and feedback, checked at the door."""

"""The HTTP edge: requests in, answers and errors out."""

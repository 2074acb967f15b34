"""What predictions are worth before their labels come, and how well such estimates held."""

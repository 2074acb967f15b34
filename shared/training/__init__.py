"""The trained model in service: loading, scoring, judging (nothing here is needed to capture or join)."""

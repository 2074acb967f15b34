"""What serves is watched on matured labels: trials are decided, and a promotion that was a mistake is taken back."""

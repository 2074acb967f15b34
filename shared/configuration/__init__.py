"""A model's configuration: what it predicts, how labels arise, when to retrain, what a new version must prove."""

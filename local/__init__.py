"""The laptop's AWS: the embedded server, the deployment to it, replays and the demo. Never deployed."""

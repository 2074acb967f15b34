"""What each part of a deployment takes a second: units counted by the product's own adapters, and AWS's quotas."""

"""The capacity of each part of a deployment a second: units counted by the product's own adapters, and AWS's quotas."""

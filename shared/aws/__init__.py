"""Adapters: the domain's ports on DynamoDB, S3, Firehose, Step Functions and CloudWatch."""

"""What every consumer of a queue has in common: one message's failure is its own, and is logged."""

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType


def queue_processor(logger: Logger) -> BatchProcessor:
    """Return what works off a batch message by message; those that fail are logged and come back by themselves."""
    return BatchProcessor(
        event_type=EventType.SQS,
        raise_on_entire_batch_failure=False,
        logger=logger,  # type: ignore[arg-type]  # quacks like one
    )

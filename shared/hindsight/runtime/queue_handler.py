"""The entry point of a queue's consumer: one message's failure is its own, is logged, and the message comes again."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.runtime.deadline import time_left
from hindsight.runtime.handler import EventHandler, event_handler, logger

# Takes a message's body, and the check that there is time for more.
Work = Callable[[str, Callable[[], bool]], None]


def queue_handler(reserved_milliseconds: int) -> Callable[[Work], EventHandler[PartialItemFailureResponse]]:
    """Build the decorator of the work on one message, which becomes the handler of batches of them."""
    # A message that fails does so alone, even if it is the only one of its batch.
    processor = BatchProcessor(
        event_type=EventType.SQS,
        raise_on_entire_batch_failure=False,
        logger=logger,  # type: ignore[arg-type]  # quacks like one
    )

    def decorate(work: Work) -> EventHandler[PartialItemFailureResponse]:
        def take(record: SQSRecord, lambda_context: LambdaContext) -> None:
            work(record.body, time_left(lambda_context, reserved_milliseconds))

        @event_handler
        def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
            return process_partial_response(event, take, processor, context)

        return handler

    return decorate

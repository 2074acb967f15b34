"""Erase what is kept of entities (SQS of erasures, partial batch failures)."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import clients, erasing, stores
from hindsight.bootstrap.deadline import time_left
from hindsight.privacy.requests import parse_message
from hindsight.runtime.sqs_batches import queue_processor

# Enough for the object or the dataset in hand.
RESERVED_MILLISECONDS = 240_000

logger = Logger()
tracer = Tracer()
processor = queue_processor(logger)


def erase_record(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Go on with the erasure a message names; what time does not suffice for is left to another message."""
    model, erasure_id = parse_message(record.body)
    run = erasing.eraser().run(model, erasure_id, time_left(lambda_context, RESERVED_MILLISECONDS))
    if run.is_to_go_on:
        settling = clients.settings().erasure_second_pass.total_seconds() if run.is_settling else 0
        stores.erasure_queue().send(record.body, int(settling))


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Work on a batch of erasures; return those to be delivered again."""
    return process_partial_response(event, erase_record, processor, context)

"""Replay quarantined feedback and predictions (SQS of replay requests, partial batch failures)."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import labelling, stores
from hindsight.bootstrap.deadline import time_left
from hindsight.quarantine.replay_request import parse_message
from hindsight.runtime import join_metrics
from hindsight.runtime.sqs_batches import queue_processor

# Enough for the object in hand: a few thousand rows.
RESERVED_MILLISECONDS = 60_000

logger = Logger()
metrics = Metrics()
tracer = Tracer()
processor = queue_processor(logger)


def replay_record(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Go on with the replay a message names; what time does not suffice for is left to another message."""
    model, replay_id = parse_message(record.body)
    run = labelling.quarantine_replay().run(model, replay_id, time_left(lambda_context, RESERVED_MILLISECONDS))
    join_metrics.publish_replayed(metrics, model, run.counts)
    if run.is_to_go_on:
        stores.replay_queue().send(record.body)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Replay a batch of requests; return those to be delivered again."""
    return process_partial_response(event, replay_record, processor, context)

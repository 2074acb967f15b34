"""Join feedback files onto stored predictions (SQS of S3 notifications, partial batch failures)."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.adapters.aws.s3_notifications import object_keys
from hindsight.bootstrap import labelling, stores
from hindsight.bootstrap.deadline import time_left
from hindsight.labels.joining.feedback_files import FilePart, is_to_be_joined, parse_part, part_message
from hindsight.runtime import join_metrics
from hindsight.runtime.sqs_batches import queue_processor

# Enough for the lines in hand, also where other workers keep changing the same predictions.
RESERVED_MILLISECONDS = 60_000

logger = Logger()
metrics = Metrics()
tracer = Tracer()
# One file that cannot be joined fails alone, also when it is the only one of its batch.
processor = queue_processor(logger)


def join_record(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Join the files that one message names; a message of its own has the rest of a file joined when time runs out."""
    for part in _parts(record.body):
        run = labelling.feedback_files().join_part(part, time_left(lambda_context, RESERVED_MILLISECONDS))
        join_metrics.publish(metrics, run.report)
        if run.rest is not None:
            stores.feedback_queue().send(part_message(run.rest))


def _parts(body: str) -> list[FilePart]:
    part = parse_part(body)
    return [part] if part else [FilePart(key) for key in object_keys(body) if is_to_be_joined(key)]


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Join a batch of files; return those to be delivered again."""
    return process_partial_response(event, join_record, processor, context)

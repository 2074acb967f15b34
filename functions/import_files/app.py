"""Import past predictions and feedback from uploaded files (SQS of S3 notifications, partial batch failures)."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.adapters.aws.s3_notifications import uploads
from hindsight.bootstrap import labelling, stores
from hindsight.bootstrap.deadline import time_left
from hindsight.ingestion.import_files import is_import
from hindsight.runtime import join_metrics
from hindsight.runtime.sqs_batches import queue_processor

# Enough for the chunk in hand: a few hundred lines.
RESERVED_MILLISECONDS = 30_000

logger = Logger()
metrics = Metrics()
tracer = Tracer()
processor = queue_processor(logger)


def import_record(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Import the files a notification tells of; what time does not suffice for is left to the same message again."""
    for upload in uploads(record.body):
        if not is_import(upload.key):
            continue
        run = labelling.file_imports().run(upload, time_left(lambda_context, RESERVED_MILLISECONDS))
        join_metrics.publish_imported(metrics, run)
        if run.is_to_go_on:
            stores.import_queue().send(record.body)
            return


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Import a batch of files; return those to be delivered again."""
    return process_partial_response(event, import_record, processor, context)

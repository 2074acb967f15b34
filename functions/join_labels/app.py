"""Join feedback files onto stored predictions (SQS of S3 notifications, partial batch failures)."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import join_metrics
from shared.aws.s3_notifications import object_keys
from shared.bootstrap import labelling
from shared.labels.feedback_files import is_to_be_joined
from shared.sqs_batches import queue_processor

logger = Logger()
metrics = Metrics()
tracer = Tracer()
# One file that cannot be joined fails alone, also when it is the only one of its batch.
processor = queue_processor(logger)


def join_record(record: SQSRecord) -> None:
    """Join the files one notification tells of."""
    for key in filter(is_to_be_joined, object_keys(record.body)):
        join_metrics.publish(metrics, labelling.feedback_files().join(key))


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Join a batch of files; return those to be delivered again."""
    return process_partial_response(event, join_record, processor, context)

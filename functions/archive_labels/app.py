"""Archive label records with their predictions' features, and note new labels (stream of the predictions table)."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.adapters.predictions_table.stream_records import label_change, read_batch
from hindsight.bootstrap import labelling, stores

logger = Logger()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Archive a batch; return the record to go on from, if one could not be read."""
    batch = read_batch(event["Records"], label_change)
    written = labelling.archive().write_labels(batch.name, batch.values, stores.label_store(), labelling.new_labels())
    logger.info("archived", extra={"label_records": written})
    return batch.failures()

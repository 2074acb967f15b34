"""Archive label records with their predictions' features, and note new labels (stream of the predictions table)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import labelling, stores
from hindsight.runtime.events.stream_records import label_change, read_batch
from hindsight.runtime.handler import event_handler, logger


@event_handler
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Archive a batch; return the record to go on from, if one could not be read."""
    batch = read_batch(event["Records"], label_change)
    written = labelling.archive().write_labels(batch.name, batch.values, stores.label_store(), labelling.new_labels())
    logger.info("labels_archived", extra={"label_records": written})
    return batch.failures()

"""Archive new predictions, enter them under their keys, and sample for review (stream of the predictions table)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import labelling
from hindsight.runtime.deadline import time_left
from hindsight.runtime.events.stream_records import new_prediction, read_batch
from hindsight.runtime.handler import event_handler, logger

# Enough for a selection round and its review tasks. The rest comes again, in a batch of half the size.
RESERVED_MILLISECONDS = 30_000


@event_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Archive a batch, enter it under its keys and sample among it; return the record to go on from, if one is bad."""
    batch = read_batch(event["Records"], new_prediction)
    existing = labelling.existing_predictions().among(batch.values)
    written = labelling.archive().write_predictions(batch.name, existing)
    matched = labelling.key_entries().enter(existing)
    # Archived first: a queue that cannot be written to must not keep predictions out of the lake.
    sampled = labelling.review_selection().consider(
        batch.name,
        existing,
        batch.arrived_at,
        time_left(context, RESERVED_MILLISECONDS),
    )
    gone = len(batch.values) - len(existing)
    counts = {"predictions": written, "erased_or_expired": gone, "awaited_by_feedback": matched, "sampled": sampled}
    logger.info("predictions_archived", extra=counts)
    return batch.failures()

"""Relabel from some raw files (step of the relabelling state machine, many at once)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import labelling
from hindsight.labels.relabelling.files import batch_of
from hindsight.runtime.deadline import time_left
from hindsight.runtime.handler import event_handler, logger

# Enough for the chunk of lines in hand.
RESERVED_MILLISECONDS = 45_000


@event_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Relabel files, and list in the event those that are left for the next call; ``is_done`` if there are none."""
    left = labelling.relabel_files().relabel(batch_of(event), time_left(context, RESERVED_MILLISECONDS))
    logger.info("files_relabelled", extra={"job_id": event["job_id"], "files": len(event["keys"]), "left": len(left)})
    return {**event, "keys": list(left), "is_done": not left}

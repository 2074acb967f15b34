"""Count the raw files of a relabelling, for its progress and its batches (first step of its state machine)."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import labelling
from hindsight.bootstrap.deadline import time_left
from hindsight.labels.relabelling.counting import Counting

# Enough for a page of the listing.
RESERVED_MILLISECONDS = 60_000

logger = Logger()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Count the files to read; without ``is_done`` time ran out, and the next call goes on."""
    counted = labelling.relabel_file_count().count(
        event["model"],
        event["relabel_id"],
        Counting(**event.get("counted", {})),
        time_left(context, RESERVED_MILLISECONDS),
    )
    logger.info("counted", extra={"relabel_id": event["relabel_id"], "files": counted.files, "done": counted.is_done})
    return asdict(counted)

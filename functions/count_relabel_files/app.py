"""Count the raw files of a relabelling, so that its progress has an end (first step of its state machine)."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.bootstrap import labelling

logger = Logger()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Return how many files there are to read, those that an earlier attempt has done among them."""
    total = labelling.relabel_files().count(event["model"], event["relabel_id"])
    logger.info("counted", extra={"relabel_id": event["relabel_id"], "files": total})
    return {"files": total}

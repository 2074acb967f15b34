"""Decide canaries and shadows, end probations and roll back, on matured labels (EventBridge schedule)."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import counters
from shared.bootstrap import retraining
from shared.schedule import parse_tick
from shared.watching.verdict import Outcome
from shared.watching.watch import WatchingFailed

# A look at a model with many labels takes minutes; one that is begun too late would be begun in vain.
RESERVED_MILLISECONDS = 240_000

logger = Logger()
metrics = Metrics()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Look at what is watched at the event's time; return what was seen and decided."""
    try:
        looks = retraining.watch().run(
            parse_tick(event), lambda: context.get_remaining_time_in_millis() > RESERVED_MILLISECONDS
        )
    except WatchingFailed as error:
        # What the other models came to has happened, and is not seen again when the event is tried once more.
        count(error.looks)
        raise
    count(looks)
    return {"looks": looks}


def count(looks: list[dict[str, Any]]) -> None:
    """Note what was seen, and how many versions were taken back."""
    taken_back = sum(look["verdict"] == Outcome.TAKE_BACK for look in looks)
    counters.count(metrics, {"VersionsTakenBack": taken_back})
    logger.info("watched", extra={"looks": looks})

"""Record how an attempt of a relabelling ended (last step of its state machine, on every path)."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import labelling
from hindsight.core.times import parse_time
from hindsight.runtime.counters import count

logger = Logger()
metrics = Metrics()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Return the relabelling as it stands now: a repeated call, or one of an attempt long replaced, changes nothing."""
    job, concluded = labelling.relabel_conclusions().conclude(event, parse_time(event["at"]))
    logger.info("concluded", extra={"model": job.model, "status": job.status.value, "concluded": concluded})
    count(metrics, {"LabelsRelabelled": job.counts.labels if concluded else 0}, model=job.model)
    return {**job.to_json(), "concluded": concluded}

"""Count a relabelling's raw files, and record how an attempt ended (first and last step of its state machine)."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import labelling
from hindsight.core.times import parse_time
from hindsight.labels.relabelling.counting import CountingProgress
from hindsight.reporting.jobs import relabelling_report
from hindsight.runtime.counters import count
from hindsight.runtime.deadline import time_left
from hindsight.runtime.handler import event_handler, logger, metrics

# Enough for a page of the listing.
RESERVED_MILLISECONDS = 60_000


@event_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the step that the state machine names: ``count`` or ``finalize``."""
    return {"count": count_files, "finalize": finalize}[event["step"]](event, context)


def count_files(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Count the files to read; without ``is_done`` time ran out, and the next call goes on."""
    counted = labelling.relabel_file_count().count(
        event["model"],
        event["job_id"],
        CountingProgress(**event.get("counted", {})),
        time_left(context, RESERVED_MILLISECONDS),
    )
    found = {"job_id": event["job_id"], "files": counted.files, "done": counted.is_done}
    logger.info("relabel_files_counted", extra=found)
    return asdict(counted)


def finalize(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Record the attempt's end; a repeated call, or one of an attempt long replaced, changes nothing."""
    job, concluded = labelling.relabel_conclusions().conclude(event, parse_time(event["at"]))
    found = {"model": job.model, "status": job.status.value, "concluded": concluded}
    logger.info("relabelling_finalized", extra=found)
    count(metrics, {"LabelsRelabelled": job.counts.labels if concluded else 0}, Model=job.model)
    return {"model": job.model, **relabelling_report(job).to_plain(), "concluded": concluded}

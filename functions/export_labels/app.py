"""Write matured labels with their features to one Parquet file (invoked by request_jobs)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import clients, stores
from hindsight.datasets.exports.label_export import LabelExporter
from hindsight.reporting.jobs import job_report
from hindsight.runtime.deadline import time_left
from hindsight.runtime.handler import event_handler, logger

# Enough for the rows in hand, to put their files together and to upload one.
RESERVED_MILLISECONDS = 120_000


@event_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Export labels, and report what the file holds."""
    exporter = LabelExporter(stores.lake(), stores.job_store(), stores.configurations(), clients.utc_now)
    job = exporter.run(event["model"], event["job_id"], time_left(context, RESERVED_MILLISECONDS))
    if job is None:
        logger.info("job_of_erased_model_left_out", extra={"job_id": event["job_id"]})
        return {}
    logger.info("labels_exported", extra={"job_id": job.job_id, "status": job.status, "found": dict(job.checkpoint)})
    return job_report(job).to_plain()

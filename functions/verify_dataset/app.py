"""Build a dataset again from its sources and hold it against its manifest (invoked by request_jobs)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import clients, stores
from hindsight.datasets.building.verification import DatasetVerifier
from hindsight.reporting.jobs import job_report
from hindsight.runtime.handler import event_handler, logger


@event_handler
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Verify a dataset, store the findings and report them."""
    verifier = DatasetVerifier(stores.lake(), stores.job_store(), stores.configurations(), clients.utc_now)
    job = verifier.run(event["model"], event["job_id"])
    if job is None:
        logger.info("job_of_erased_model_left_out", extra={"job_id": event["job_id"]})
        return {}
    logger.info("dataset_verified", extra={"job_id": job.job_id, "status": job.status, "found": dict(job.checkpoint)})
    return job_report(job).to_plain()

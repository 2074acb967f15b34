"""Build a dataset again from its sources and hold it against its manifest (invoked by request_jobs)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import stores
from hindsight.datasets.building.verification import DatasetVerifier
from hindsight.runtime.handler import event_handler, logger


@event_handler
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Verify a dataset, store the findings and report them."""
    verifier = DatasetVerifier(stores.lake(), stores.configurations())
    found = verifier.verify(event["model"], event["dataset_id"], event["requested_at"])
    logger.info("dataset_verified", extra={"dataset_id": event["dataset_id"], "problems": list(found.problems)})
    return found.to_json()

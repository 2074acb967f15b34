"""Build Athena's query for a run's dataset (step of the retraining state machine, with SnapshotEngine=athena)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import clients, stores
from hindsight.bootstrap.settings import Deployment
from hindsight.datasets.records.athena_query import plan_query
from hindsight.datasets.records.record_scan import Span
from hindsight.lake.object_store import query_prefix
from hindsight.runs.run import RetrainingRun
from hindsight.runtime.handler import event_handler, logger


@event_handler
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Build the query, and the address of its answer."""
    run = RetrainingRun.from_event(event)
    window = stores.configurations().current(run.model).configuration.training.window
    span = Span(run.as_of - window, run.as_of)
    query = plan_query(stores.lake(), run.model, run.decision_id, span, clients.name_of("database"))
    logger.info("snapshot_query_planned", extra={"model": run.model, "decision_id": run.decision_id})
    bucket = clients.settings(Deployment).lake_bucket
    return {"query": query, "location": f"s3://{bucket}/{query_prefix(run.model, run.decision_id)}"}

"""Freeze the label records known at the run's moment into a dataset (step of the retraining state machine)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import stores
from hindsight.datasets.building.parquet_copies import store_parquet
from hindsight.datasets.building.snapshot import take_snapshot
from hindsight.datasets.champion import champion_features
from hindsight.datasets.dataset_check import TOO_FEW_ROWS, DatasetCheckFailure
from hindsight.datasets.members import index_rows
from hindsight.datasets.records.athena_query import chosen_by
from hindsight.labels.archiving.new_labels import NewLabels
from hindsight.registry.external_version import EXTERNAL
from hindsight.runs.run import RetrainingRun
from hindsight.runtime.handler import event_handler, logger


@event_handler
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Build the dataset to train on, or find the reason to skip the run."""
    run = RetrainingRun.from_event(event)
    revision, registry, lake = stores.configurations().current(run.model), stores.registry(), stores.lake()
    last_used = stores.trigger_store().load(run.model).last_dataset_id
    previous = registry.dataset(run.model, last_used) if last_used else None
    champion = champion_features(lake, registry, run.model)
    query = event.get("query_execution_id")
    chosen = chosen_by(lake, run.model, run.decision_id, query) if query else None
    taken = take_snapshot(lake, revision, run.as_of, previous, champion_features=champion, chosen=chosen)
    if isinstance(taken, DatasetCheckFailure):
        detail = taken.detail
        if taken.reason == TOO_FEW_ROWS:
            detail += f"; {NewLabels(stores.new_label_store()).upcoming(run.model, run.as_of)}"
        logger.info("run_skipped", extra={"model": run.model, "reason": taken.reason, "detail": detail})
        return {"status": "skipped", "reason": taken.reason, "detail": detail}
    store_parquet(lake, taken)
    # Indexed before it is recorded, so that every recorded dataset has its index.
    dataset = registry.put_dataset(run.model, index_rows(lake, stores.member_store(), taken))
    logger.info("dataset_built", extra={"model": run.model, "dataset_id": dataset.dataset_id})
    ready = {"status": "ready", "dataset_id": dataset.dataset_id}
    if revision.configuration.is_trained_elsewhere:
        deadline = int(revision.configuration.training.deadline.total_seconds())
        return {**ready, "candidates": [EXTERNAL], "deadline_seconds": deadline}
    return {**ready, "candidates": [candidate.value for candidate in revision.configuration.candidates]}

"""Train one candidate on the run's dataset (step of the retraining state machine, in parallel over candidates)."""

from collections.abc import Mapping
from time import perf_counter
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import clients, stores
from hindsight.bootstrap.settings import Deployment
from hindsight.config.training import Candidate
from hindsight.core import compact_json
from hindsight.core.errors import UnusableDataset, UnusablePipeline
from hindsight.datasets.dataset import read_manifest
from hindsight.lake.object_store import training_job_key
from hindsight.runs.run import RetrainingRun
from hindsight.runtime.handler import event_handler, logger
from hindsight.training.train import TrainingJob, failed_training, train_candidate


@event_handler
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Train a candidate, or collect the training job's, and report its artefact and validation score."""
    if event.get("trained_in_job"):
        return collect(event)
    return train(event)


def collect(event: Mapping[str, Any]) -> dict[str, Any]:
    """Read the result that a training job left for its run. Raises NotFound."""
    run = RetrainingRun.from_event(event)
    key = training_job_key(run.model, run.decision_id, event["candidate"])
    trained: dict[str, Any] = compact_json.loads(stores.lake().read_bytes(key))
    return trained


def train(event: Mapping[str, Any]) -> dict[str, Any]:
    """Train what an input names, here or in a separate job; return the artefact and the validation score.

    A candidate that cannot be trained is an answer too: as an error it would reach the run without its reason.
    """
    run = RetrainingRun.from_event(event)
    manifest = read_manifest(stores.lake(), run.model, event["dataset_id"])
    revision = stores.configurations().revision(run.model, manifest.configuration_revision)
    job = TrainingJob(
        run=run,
        manifest=manifest,
        configuration=revision.configuration,
        candidate=Candidate(event["candidate"]),
        code_version=clients.settings(Deployment).code_version,
    )
    try:
        trained = train_candidate(stores.lake(), job, perf_counter)
    except (UnusableDataset, UnusablePipeline) as error:
        logger.warning("candidate_untrainable", extra={"model": run.model, "code": error.code, "reason": error.message})
        return failed_training(job, error)
    logger.info(
        "candidate_trained", extra={"model": run.model, "version": trained.version, "score": trained.validation_score}
    )
    return trained.to_plain()

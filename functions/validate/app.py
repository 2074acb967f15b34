"""Put the best candidate to the gate against the champion (step of the retraining state machine)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import clients, retraining, stores
from hindsight.bootstrap.settings import Deployment
from hindsight.datasets.dataset import read_manifest
from hindsight.rollout.external.judgement import announced_verdict
from hindsight.runs.run import RetrainingRun
from hindsight.runtime.handler import event_handler, logger
from hindsight.training.gate.validate import ValidationJob, validate


@event_handler
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Judge the version, and report the verdict and whether it needs an approval."""
    run = RetrainingRun.from_event(event)
    manifest = read_manifest(stores.lake(), run.model, event["dataset_id"])
    revision = stores.configurations().revision(run.model, manifest.configuration_revision)
    job = ValidationJob(
        run=run,
        manifest=manifest,
        configuration=revision.configuration,
        trained=event["trained"],
        code_version=clients.settings(Deployment).code_version,
    )
    record = validate(stores.lake(), stores.registry(), job, retraining.fresh_process())
    logger.info(
        "version_judged", extra={"model": run.model, "version": record.version, "verdict": record.verdict.value}
    )
    return announced_verdict(record, job.configuration.gate)

"""The training of one candidate of a run: fit it, describe it, store it as a version."""

from typing import Any

from hindsight.core.codec import Record
from hindsight.core.errors import HindsightError
from hindsight.lake.object_store import Lake, version_prefix
from hindsight.training.fitting.fit import TrainingJob, fit
from hindsight.training.fitting.search import Stopwatch
from hindsight.training.model_card.page import CARD_PAGE
from hindsight.training.models.artifact import artifact_digest
from hindsight.training.storage import ARTIFACT, store

__all__ = ["TrainingJob", "TrainingResult", "failed_training", "train_candidate"]


class TrainingResult(Record, frozen=True, kw_only=True):
    """A candidate that has become a version; ``validation_score`` is None where the metric is undefined."""

    candidate: str
    version: str
    artifact_key: str
    artifact_digest: str
    validation_score: float | None
    card_key: str


def train_candidate(lake: Lake, job: TrainingJob, stopwatch: Stopwatch | None = None) -> TrainingResult:
    """Train a candidate and store the version it becomes.

    The same run and dataset give the same bytes, so that a repeated step changes nothing. Raises UnusableDataset,
    UnusablePipeline, NotFound.
    """
    trained = fit(lake, job, stopwatch)
    store(lake, job, trained)
    version = trained.version.schema.version
    prefix = version_prefix(job.run.model, version)
    return TrainingResult(
        candidate=job.candidate.value,
        version=version,
        artifact_key=f"{prefix}{ARTIFACT}",
        artifact_digest=artifact_digest(trained.artifact),
        validation_score=trained.selection.validation_score,
        card_key=f"{prefix}{CARD_PAGE}",
    )


def failed_training(job: TrainingJob, error: HindsightError) -> dict[str, Any]:
    """Build the summary that the state machine passes on of a candidate that cannot be trained."""
    return {"candidate": job.candidate.value, "error": f"{type(error).__name__}: {error.message}"}

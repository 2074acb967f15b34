"""The description of a trained version: its model card, golden rows, reference profile and performance estimator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hindsight.profiles.profile import Profile
from hindsight.training.estimators.performance_estimator import FittedEstimator, fit_estimator
from hindsight.training.fitting.fit import TrainedVersion, TrainingJob
from hindsight.training.model_card.card import model_card
from hindsight.training.models.scoring import RowPrediction
from hindsight.training.reference_profile import reference_profile


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDescription:
    """All that is kept of a version beside its artefact; ``estimator`` is None where performance has no estimate."""

    card: Mapping[str, Any]
    golden_rows: Sequence[Mapping[str, Any]]
    reference: Profile
    estimator: FittedEstimator | None


def describe(job: TrainingJob, trained: TrainedVersion) -> VersionDescription:
    """Describe a trained version from its rows and its predictions for the holdout."""
    version, holdout, configuration = trained.version, trained.holdout, job.configuration
    return VersionDescription(
        card=model_card(job, trained),
        golden_rows=golden_rows(holdout.first_features, version.score(holdout.first_features)),
        reference=reference_profile(version, trained.train, holdout, configuration.features),
        estimator=fit_estimator(
            version.schema, holdout.frame, holdout.labels, trained.predictions, configuration.training.seed
        ),
    )


def golden_rows(features: Sequence[Mapping[str, Any]], predictions: Sequence[RowPrediction]) -> list[dict[str, Any]]:
    """List rows with the predictions a version gave at training, by which a loaded copy is recognised."""
    return [
        {"features": dict(row), "score": prediction.score, "decision": prediction.decision}
        for row, prediction in zip(features, predictions, strict=True)
    ]

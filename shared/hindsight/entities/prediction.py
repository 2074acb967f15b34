"""A prediction as it is kept: what the model saw, what it said, when its outcome is due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from hindsight.core import compact_json

FeatureValue = bool | int | float | str | None
Features = Mapping[str, FeatureValue]
Decision = bool | int | float | str


class PredictionKey(NamedTuple):
    """Which prediction, of which model."""

    model: str
    prediction_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowAnswer:
    """What a version in a rollout would have said; the app never sees it. Its fields mean what a prediction's do."""

    version: str
    score: float
    decision: Decision
    probabilities: Mapping[str, float] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the answer as it is kept, absent parts left out."""
        shown = {
            "version": self.version,
            "score": self.score,
            "decision": self.decision,
            "probabilities": None if self.probabilities is None else dict(self.probabilities),
        }
        return {name: value for name, value in shown.items() if value is not None}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "ShadowAnswer":
        """Return the answer that ``to_json`` showed."""
        return cls(**row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One prediction.

    ``score`` is the probability of the positive class (binary), of the decided class (multiclass), or the predicted
    value (regression); ``propensity`` the probability with which the decision was taken, where the app explores;
    ``selection_probability`` the one with which the prediction was to be reviewed, if it was picked; ``shadow`` what a
    version tried unseen said of the same instance.
    """

    model: str
    prediction_id: str
    features: Features
    score: float
    decision: Decision
    model_version: str
    occurred_at: datetime
    received_at: datetime
    outcome_due_at: datetime
    probabilities: Mapping[str, float] | None = None
    entity_id: str | None = None
    propensity: float | None = None
    selection_probability: float | None = None
    shadow: ShadowAnswer | None = None
    body_digest: str

    @property
    def key(self) -> PredictionKey:
        """The prediction's key."""
        return PredictionKey(self.model, self.prediction_id)


def body_digest(body: Mapping[str, object]) -> str:
    """Return the digest of what the caller sent, by which a repeated id is told from a conflicting one."""
    return compact_json.digest(body)[:32]

"""A prediction as it is kept: its features, its answer, when its outcome is due."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from hindsight.core import compact_json
from hindsight.core.codec import Record

FeatureValue = bool | int | float | str | None
Features = Mapping[str, FeatureValue]
Decision = bool | int | float | str


class PredictionKey(Struct, frozen=True, order=True, gc=False):
    """The identity of a prediction: its model and its id."""

    model: str
    prediction_id: str


class ShadowAnswer(Record, frozen=True, kw_only=True):
    """The prediction of a version in a rollout, which the app never sees. Its fields mean what a prediction's do."""

    version: str
    score: float
    decision: Decision
    probabilities: Mapping[str, float] | None = None


class Prediction(Record, frozen=True, kw_only=True):
    """One prediction.

    ``score`` is the probability of the positive class (binary), of the decided class (multiclass), or the predicted
    value (regression); ``reference`` a key of the app's, such as an order's id, that predictions may share, by which
    feedback finds them; ``selection_probability`` the probability with which the prediction was to be reviewed, if it
    was sampled; ``shadow`` the answer of a version in shadow to the same instance.

    ``weight`` is the number of predictions that this one was logged for, None where all are logged; ``propensity`` the
    probability with which this answer was given, None for certain: the version's share of the entities in a canary,
    ``version_share``, times the probability of the decision. ``model_decision`` is the version's own decision where
    another one was taken to explore; the score is that of its own.
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
    reference: str | None = None
    propensity: float | None = None
    version_share: float | None = None
    model_decision: Decision | None = None
    weight: float | None = None
    selection_probability: float | None = None
    shadow: ShadowAnswer | None = None
    body_digest: str

    @property
    def is_explored(self) -> bool:
        """True if a decision was taken that is not the version's."""
        return self.model_decision is not None

    @property
    def key(self) -> PredictionKey:
        """The prediction's key."""
        return PredictionKey(self.model, self.prediction_id)


def body_digest(body: Mapping[str, object]) -> str:
    """Compute the digest of a sent body, by which a repeated id is known from a conflicting one.

    Numbers count by their value and absent fields as null, so that a client that spells them otherwise when it tries
    again has sent the same.

    >>> body_digest({"value": 1.0, "source": None}) == body_digest({"value": 1})
    True
    """
    return compact_json.digest(_spelled_alike(body))[:32]


def _spelled_alike(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _spelled_alike(child) for name, child in value.items() if child is not None}
    if isinstance(value, list | tuple):
        return [_spelled_alike(child) for child in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value

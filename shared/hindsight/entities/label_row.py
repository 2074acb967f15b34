"""One label record together with the prediction it labels: a row of the lake, and what models learn from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from hindsight.config.labels import LabelValue
from hindsight.core.codec import to_plain
from hindsight.entities.label import LabelStatus
from hindsight.entities.prediction import Decision, Features, FeatureValue, ShadowAnswer

# Rows without them have no such field.
_OPTIONAL = (
    "selection_probability",
    "probabilities",
    "shadow",
    "version_share",
    "model_decision",
    "weight",
)


class LabelFields(TypedDict, total=False):
    """The fields of a label row as the lake holds them, and what readers add; a reader may have only some of them.

    ``labelled_without_review`` marks a reviewed row whose prediction has had a value of another kind too, and
    ``first_valued_at`` is when its prediction first had a value.
    """

    model: str
    prediction_id: str
    features: Mapping[str, FeatureValue]
    score: float
    decision: Decision
    model_version: str
    occurred_at: str
    outcome_due_at: str
    seq: int
    value: LabelValue | None
    status: str
    kind: str | None
    rules_revision: int
    known_at: str
    entity_id: str | None
    propensity: float | None
    version_share: float | None
    model_decision: Decision | None
    weight: float | None
    selection_probability: float | None
    probabilities: Mapping[str, float] | None
    shadow: Mapping[str, Any] | None
    labelled_without_review: bool
    first_valued_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRow:
    """One row of ``labels/``: a prediction, its features and answer, and one record of its label.

    ``probabilities`` are those of all classes, where the prediction has them; ``shadow`` is the answer of a version in
    shadow; ``selection_probability`` is that of a prediction sampled for review. A manual label stands for 1 over
    that many predictions, unless they have labels anyway: then an estimate covers all predictions. ``weight``,
    ``propensity``, ``version_share`` and ``model_decision`` are the prediction's.
    """

    model: str
    prediction_id: str
    features: Features
    score: float
    decision: Decision
    model_version: str
    occurred_at: datetime
    outcome_due_at: datetime
    seq: int
    value: LabelValue | None
    status: LabelStatus
    kind: str | None
    rules_revision: int
    known_at: datetime
    entity_id: str | None = None
    propensity: float | None = None
    version_share: float | None = None
    model_decision: Decision | None = None
    weight: float | None = None
    selection_probability: float | None = None
    probabilities: Mapping[str, float] | None = None
    shadow: ShadowAnswer | None = None

    @property
    def matured_at(self) -> datetime:
        """The moment when the label was known and its outcome due; the record lies in the lake under that day."""
        return max(self.known_at, self.outcome_due_at)

    def to_row(self) -> dict[str, Any]:
        """Convert the row to JSON objects."""
        row: dict[str, Any] = to_plain(self)
        return {name: value for name, value in row.items() if value is not None or name not in _OPTIONAL}

"""Instances to predict or predicted: features, times and ids, checked; and with a score, a prediction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from hindsight.config.features import FeatureType
from hindsight.config.labels import LabelValue, canonical_text
from hindsight.config.metrics import Task
from hindsight.config.model import ModelConfiguration
from hindsight.core.errors import InvalidInput
from hindsight.core.times import format_time
from hindsight.entities.prediction import Decision, Features, FeatureValue, Prediction, ShadowAnswer, body_digest
from hindsight.validation.features import check_features
from hindsight.validation.items import Identifier, RequestItem, TimeText
from hindsight.validation.timestamps import ClientTimestamps, parse_at, settle_times

MAX_TO_OUTCOME = timedelta(days=3660)  # ten years, the longest a configured delay may be


class InstanceItem(RequestItem):
    """The fields that every prediction carries."""

    features: dict[str, Any]
    prediction_id: Identifier | None = None
    entity_id: Identifier | None = None
    reference: Identifier | None = None
    occurred_at: TimeText | None = None
    received_at: TimeText | None = None
    outcome_due_at: TimeText | None = None


@dataclass(frozen=True, slots=True)
class ScoredInstance:
    """The answer of a version to one instance; see ``Prediction`` for the meaning of ``score``."""

    score: float
    decision: Decision
    probabilities: Mapping[str, float] | None = None


def as_decision(value: LabelValue, task: Task) -> Decision:
    """Convert a class as a configuration or an app writes it to a decision.

    >>> as_decision(True, Task.BINARY), as_decision(2, Task.MULTICLASS)
    (1, '2')
    """
    text = canonical_text(value)
    return int(text in {"1", "true"}) if task is Task.BINARY else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The assignment of an answer to an instance; see ``Prediction``. ``explored`` is a decision taken to explore."""

    propensity: float | None = None
    version_share: float | None = None
    explored: Decision | None = None


class Instance(Struct, frozen=True, kw_only=True):
    """One checked instance of a model."""

    model: str
    prediction_id: str
    features: Features
    occurred_at: datetime
    received_at: datetime
    outcome_due_at: datetime
    entity_id: str | None
    reference: str | None = None
    body_digest: str

    @property
    def entity(self) -> str:
        """The entity that the prediction is about, else its own id: one entity meets one version during a rollout."""
        return self.entity_id if self.entity_id is not None else self.prediction_id

    def predicted(
        self,
        scored: ScoredInstance,
        model_version: str,
        assignment: Assignment,
        *,
        shadow: ShadowAnswer | None = None,
        weight: float | None = None,
    ) -> Prediction:
        """Build the prediction that a version made of the instance."""
        is_explored = assignment.explored is not None
        return Prediction(
            **asdict(self),
            score=scored.score,
            decision=scored.decision if assignment.explored is None else assignment.explored,
            probabilities=scored.probabilities,
            model_version=model_version,
            propensity=assignment.propensity,
            version_share=assignment.version_share,
            model_decision=scored.decision if is_explored else None,
            weight=weight,
            shadow=shadow,
        )


@dataclass(frozen=True, slots=True)
class InstanceReader:
    """The reader of one call's instances; ``new_id`` names those that come without an id.

    One without a time occurred when it was sent: now, unless the call was ``sent_at`` another time. ``served`` is what
    the versions that serve read: it is taken and kept, declared or not.
    """

    configuration: ModelConfiguration
    now: datetime
    trust: ClientTimestamps
    new_id: Callable[[], str]
    sent_at: datetime | None = None
    served: Mapping[str, FeatureType] = field(default_factory=dict)

    def read(self, item: InstanceItem, path: str) -> Instance:
        """Read the instance an item describes. Raises InvalidInput with the paths at fault."""
        features, faults = check_features(item.features, self.configuration.features, f"{path}.features", self.served)
        if faults:
            raise InvalidInput(f"{faults[0].path} {faults[0].message}", tuple(faults))
        fallback = format_time(self.sent_at) if self.sent_at is not None else None
        occurred_at, received_at = settle_times(
            item.occurred_at or fallback, item.received_at, now=self.now, trust=self.trust, path=path
        )
        due_at = self._outcome_due_at(item, occurred_at, path)
        return Instance(
            model=self.configuration.model,
            prediction_id=item.prediction_id or self.new_id(),
            features=features,
            occurred_at=occurred_at,
            received_at=received_at,
            outcome_due_at=due_at,
            entity_id=item.entity_id,
            reference=item.reference,
            body_digest=body_digest(self._meant(item, features, occurred_at, due_at)),
        )

    def _meant(
        self, item: InstanceItem, features: Features, occurred_at: datetime, due_at: datetime
    ) -> dict[str, object]:
        """Write an item in one spelling, and no time that it does not have: a client that retries has none."""
        return {
            **item.model_dump(exclude={"received_at"}),
            "features": {name: self._spelled(name, value) for name, value in features.items()},
            "occurred_at": format_time(occurred_at) if item.occurred_at is not None else None,
            "outcome_due_at": format_time(due_at) if item.outcome_due_at is not None else None,
        }

    def _spelled(self, name: str, value: FeatureValue) -> FeatureValue:
        """Write a category as the text by which it is compared: 1 and "1" are the same."""
        declared = self.configuration.features.get(name)
        kind = declared.type if declared is not None else self.served[name]
        return canonical_text(value) if kind is FeatureType.CATEGORICAL and value is not None else value

    def _outcome_due_at(self, item: InstanceItem, occurred_at: datetime, path: str) -> datetime:
        if item.outcome_due_at is None:
            return occurred_at + self.configuration.outcome_delay
        due_at = parse_at(item.outcome_due_at, f"{path}.outcome_due_at")
        if due_at < occurred_at:
            raise InvalidInput.at(f"{path}.outcome_due_at", "lies before the prediction")
        if due_at - occurred_at > MAX_TO_OUTCOME:
            raise InvalidInput.at(f"{path}.outcome_due_at", "lies more than ten years after the prediction")
        return due_at

"""Predictions and events that share entities and references, on fakes, and the labels an oracle gives them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hindsight.config.model import ModelConfiguration
from hindsight.entities.feedback import Feedback
from hindsight.entities.label import Label
from hindsight.entities.prediction import Prediction
from hindsight.labels.joining.feedback_join import FeedbackJoiner
from hindsight.labels.joining.join import LabelJoiner
from hindsight.labels.joining.match_requests import MatchRequest
from hindsight.labels.matching.matcher import KeyMatcher
from hindsight.quarantine.store import Quarantine
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.predictions.allowances import no_limits
from hindsight.testing.predictions.effects import InMemoryEffects
from hindsight.testing.predictions.label_store import InMemoryLabels
from hindsight.testing.predictions.match_store import InMemoryMatches
from tests.unit.labels.builders import MODEL, RETENTION, configuration
from tests.unit.labels.oracle import CLOCK_SKEW, expected_label

MOST = 100


@dataclass
class KeyWorld:
    """A joiner of feedback by any key on fakes."""

    configuration: ModelConfiguration
    matches_of: Callable[[InMemoryLabels], InMemoryMatches] = InMemoryMatches
    lake: InMemoryLake = field(default_factory=InMemoryLake)

    def __post_init__(self) -> None:
        self.store = InMemoryLabels()
        self.matches = self.matches_of(self.store)
        configurations, quarantine = InMemoryConfigurations(self.configuration), Quarantine(self.lake)
        self.configurations = configurations
        self.matcher = KeyMatcher(self.matches)
        self.effects = InMemoryEffects()
        self.labels = LabelJoiner(self.store, quarantine, configurations, no_limits(), self.effects)
        self.joiner = FeedbackJoiner(self.labels, self.matcher, quarantine, configurations)
        self.revision = configurations.current(MODEL)

    def log(self, *predictions: Prediction) -> None:
        """Store predictions, enter them under their keys, and join what waits for them."""
        for prediction in predictions:
            self.store.save(prediction, RETENTION)
            self.labels.rejoin([prediction.key])
        self.join_waiting(self.enter(*predictions))

    def enter(self, *predictions: Prediction) -> list[Prediction]:
        waiting = set(self.matcher.enter(predictions, self.revision))
        return [prediction for prediction in predictions if prediction.key in waiting]

    def join_waiting(self, predictions: Sequence[Prediction]) -> None:
        request = MatchRequest(MODEL, tuple(one.prediction_id for one in predictions))
        self.joiner.join_predictions(request, lambda: True)

    def quarantined(self, code: str) -> list[dict[str, Any]]:
        names = [name for name in self.lake.keys("quarantine/") if f"/{code}-" in name]
        return [row for name in names for row in self.lake.read_lines(name)]


@dataclass(frozen=True)
class KeyRules:
    """Rules as the oracle reads them: those of ``oracle``, each with ``by`` and, if not by prediction, ``match``."""

    rules: list[dict[str, Any]]
    default: dict[str, Any] | None = None

    def configuration(self) -> ModelConfiguration:
        declared = [{"event": rule["event"], **_declared(rule)} for rule in self.rules]
        default = self.default and {
            "value": self.default["value"],
            "after": f"PT{int(self.default['after'].total_seconds() // 3600)}H",
            "requires_exposure": self.default["exposure"],
        }
        return configuration(*declared, default=default)

    def expected(
        self, prediction: Prediction, predictions: Sequence[Prediction], events: Sequence[Feedback], as_of: datetime
    ) -> Label:
        """Compute the label of one prediction among others, as plainly as possible."""
        # By a key that no rule reads nothing is matched: no exposure, no retraction.
        read = {"prediction", *(rule.get("by", "prediction") for rule in self.rules)}
        theirs = [event for event in events if _names(event, prediction) and _by(event) in read]
        theirs = [event for event in theirs if event.name != "retracted" or _withdraws_its_like(event, events)]

        def gives(event: Feedback, rule: dict[str, Any]) -> bool:
            return _gives(event, rule, prediction, predictions, as_of)

        value, status, kind, name, others = expected_label(
            prediction.occurred_at, theirs, as_of, rules=self.rules, default=self.default, task="binary", gives=gives
        )
        return Label(value=value, status=status, kind=kind, event=name, disagreeing=others)  # type: ignore[arg-type]


def _names(event: Feedback, prediction: Prediction) -> bool:
    if event.prediction_id is not None:
        return event.prediction_id == prediction.prediction_id
    if event.entity_id is not None:
        return event.entity_id == prediction.entity_id
    return event.reference == prediction.reference


def _withdraws_its_like(retraction: Feedback, events: Sequence[Feedback]) -> bool:
    """Check whether a retraction by a key withdraws an event of that key; one by prediction withdraws any there."""
    named = (retraction.prediction_id, retraction.entity_id, retraction.reference)
    targets = [event for event in events if event.feedback_id == retraction.value]
    return retraction.prediction_id is not None or any(
        (event.prediction_id, event.entity_id, event.reference) == named for event in targets
    )


def _by(event: Feedback) -> str:
    return "prediction" if event.prediction_id else "entity" if event.entity_id else "reference"


def _gives(
    event: Feedback,
    rule: dict[str, Any],
    prediction: Prediction,
    predictions: Sequence[Prediction],
    as_of: datetime,
) -> bool:
    """Check whether an event that names a prediction's key is that prediction's under a rule."""
    by = _by(event)
    if rule["event"] != "exposed" and rule.get("by", "prediction") != by:
        return False
    if by == "prediction":
        return True
    match = rule.get("match") or {"entity": "last", "reference": "all"}[by]
    sharing = [other for other in predictions if _names(event, other) and other.received_at <= as_of]
    holding = [other for other in sharing if _holds(other, event, rule["window"])]
    holding.sort(key=lambda other: (other.occurred_at, other.prediction_id), reverse=match == "last")
    first = holding[: MOST if match == "all" else 1]
    return prediction.prediction_id in [other.prediction_id for other in first]


def _holds(prediction: Prediction, event: Feedback, window: timedelta | None) -> bool:
    if event.occurred_at < prediction.occurred_at - CLOCK_SKEW:
        return False
    return window is None or event.occurred_at <= prediction.occurred_at + window


def _declared(rule: dict[str, Any]) -> dict[str, Any]:
    declared = {name: value for name, value in rule.items() if name not in {"event", "window"} and value is not None}
    if rule["window"] is not None:
        declared["window"] = f"PT{int(rule['window'].total_seconds() // 3600)}H"
    return declared

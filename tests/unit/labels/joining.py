"""A joiner for the tests of joining."""

from datetime import datetime
from typing import Any

from hindsight.config.parse import parse_configuration
from hindsight.entities.label_collection import Collection
from hindsight.labels.joining.feedback_join import FeedbackJoiner
from hindsight.labels.joining.join import LabelJoiner
from hindsight.labels.matching.matcher import KeyMatcher
from hindsight.quarantine.store import Quarantine
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.predictions.allowances import no_limits
from hindsight.testing.predictions.effects import InMemoryEffects
from hindsight.testing.predictions.label_store import InMemoryLabels
from hindsight.testing.predictions.match_store import InMemoryMatches
from tests.unit.labels.builders import (
    ANNOTATION,
    DEMAND,
    RETENTION,
    THUMB,
    configuration,
    key,
    prediction,
)


class Bench:
    """A joiner on fakes."""

    def __init__(self, *rules: dict[str, Any], default: dict[str, Any] | None = None) -> None:
        self.configuration = configuration(*(rules or (ANNOTATION, DEMAND, THUMB)), default=default)
        self.store = InMemoryLabels()
        self.lake = InMemoryLake()
        self.effects = InMemoryEffects()
        self.joiner = self._joiner()

    def configure(self, **settings: Any) -> None:
        """Give the model other settings."""
        body = {**self.configuration.model_dump(mode="json"), **settings}
        self.configuration = parse_configuration(body)
        self.joiner = self._joiner()

    def _joiner(self) -> LabelJoiner:
        configurations = InMemoryConfigurations(self.configuration)
        return LabelJoiner(self.store, Quarantine(self.lake), configurations, no_limits(), self.effects)

    def predict(self, prediction_id: str = "p-1", **changes: Any) -> None:
        self.store.save(prediction(prediction_id, **changes), RETENTION)

    def collection(self, prediction_id: str = "p-1") -> Collection:
        (found,) = self.store.load([key(prediction_id)])
        return found

    def history(self, prediction_id: str = "p-1") -> list[tuple[object, str, datetime]]:
        records = self.collection(prediction_id).labels
        return [(record.label.value, record.label.status.value, record.known_at) for record in records]

    def quarantined(self) -> list[dict[str, Any]]:
        return [row for name in self.lake.keys("quarantine/") for row in self.lake.read_lines(name)]


def joiner_of_any_key(joiner: LabelJoiner) -> FeedbackJoiner:
    """Build a joiner of feedback by any key on a joiner's fakes."""
    matcher = KeyMatcher(InMemoryMatches(joiner.store))
    return FeedbackJoiner(joiner, matcher, joiner.quarantine, joiner.configurations)

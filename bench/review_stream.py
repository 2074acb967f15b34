"""Review selection in one process: the product's own code, with its state and tasks in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hindsight.config.model import ModelConfiguration
from hindsight.entities.prediction import Prediction
from hindsight.review.selection.sample import SampledPrediction
from hindsight.review.selection.selection import ReviewSelection
from hindsight.review.selection.state import SelectionState
from hindsight.testing.models.configurations import InMemoryConfigurations


@dataclass(slots=True)
class StateInMemory:
    """The state of the only writer."""

    state: SelectionState | None = None

    def load(self, model: str) -> SelectionState:
        """Read the state, a new one at first."""
        return self.state or SelectionState(model=model)

    def save(self, state: SelectionState, expected_version: int) -> bool:
        """Replace the state; there is no other writer."""
        self.state = state
        return True


@dataclass(slots=True)
class TasksInMemory:
    """The sampled predictions in the order they came."""

    sampled: list[SampledPrediction] = field(default_factory=list)

    def add(self, sampled: Sequence[SampledPrediction], configuration: ModelConfiguration) -> int:
        """Keep sampled predictions."""
        self.sampled += sampled
        return len(sampled)


@dataclass(slots=True)
class ReviewStream:
    """One model's predictions, sampled from as they come."""

    configuration: ModelConfiguration
    tasks: TasksInMemory = field(default_factory=TasksInMemory)
    _store: StateInMemory = field(default_factory=StateInMemory)

    def sample(self, batches: Iterable[Sequence[Prediction]]) -> list[SampledPrediction]:
        """Sample some more batches, as the stream of the table would deliver them."""
        before = len(self.tasks.sampled)
        selection = ReviewSelection(InMemoryConfigurations(self.configuration), self._store, self.tasks)
        for batch in batches:
            selection.consider(f"batch-{batch[0].prediction_id}", batch)
        return self.tasks.sampled[before:]

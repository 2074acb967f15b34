"""What the watch keeps, in memory, judged by the same contract suite as its tables."""

from collections.abc import Mapping
from typing import Any

from hindsight.evaluation.sequential.comparison_test import SequentialTest
from hindsight.evaluation.sequential.progress import Watched


class InMemorySequentialTests:
    """Tests by model and by what is watched."""

    def __init__(self) -> None:
        self.tests: dict[tuple[str, Watched], SequentialTest] = {}

    def load(self, model: str, watched: Watched) -> SequentialTest | None:
        return self.tests.get((model, watched))

    def save(self, model: str, test: SequentialTest) -> bool:
        stored = self.load(model, test.claim.watched)
        if test.updates != (stored.updates if stored else 0) + 1:
            return False
        self.tests[model, test.claim.watched] = test
        return True


class InMemoryWatchProgress:
    """Looks by model and by what is watched, and the moves told of."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, Watched], dict[str, Any]] = {}
        self.sequences: dict[str, int] = {}

    def note_look(self, model: str, watched: Watched, look: Mapping[str, Any]) -> None:
        before = self.kept.get((model, watched))
        if before is None or before["at"] <= look["at"]:
            self.kept[model, watched] = dict(look)

    def looks(self, model: str) -> dict[str, dict[str, Any]]:
        return {watched.value: look for (name, watched), look in self.kept.items() if name == model}

    def told(self, model: str) -> int:
        return self.sequences.get(model, 0)

    def note_told(self, model: str, sequence: int) -> None:
        self.sequences[model] = max(sequence, self.told(model))

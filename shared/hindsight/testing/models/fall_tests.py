"""Tests of live performance in memory, judged by the same contract suite as DynamoFallTests."""

from hindsight.evaluation.sequential.degradation_test import FallTest


class InMemoryFallTests:
    """Tests by model."""

    def __init__(self) -> None:
        self.tests: dict[str, FallTest] = {}

    def load(self, model: str) -> FallTest | None:
        return self.tests.get(model)

    def save(self, model: str, test: FallTest) -> bool:
        stored = self.tests.get(model)
        if test.updates != (stored.updates if stored else 0) + 1:
            return False
        self.tests[model] = test
        return True

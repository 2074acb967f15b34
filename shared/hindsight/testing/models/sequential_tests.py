"""Sequential tests in memory, judged by the same contract suite as DynamoSequentialTests."""

from hindsight.evaluation.sequential.sequential_test import SequentialTest
from hindsight.evaluation.sequential.subject import EvaluationSubject


class InMemorySequentialTests:
    """Tests by model and subject."""

    def __init__(self) -> None:
        self.tests: dict[tuple[str, EvaluationSubject], SequentialTest] = {}

    def load(self, model: str, subject: EvaluationSubject) -> SequentialTest | None:
        return self.tests.get((model, subject))

    def save(self, model: str, test: SequentialTest) -> bool:
        stored = self.load(model, test.claim.subject)
        if test.updates != (stored.updates if stored else 0) + 1:
            return False
        self.tests[model, test.claim.subject] = test
        return True

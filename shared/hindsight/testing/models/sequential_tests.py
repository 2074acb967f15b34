"""Sequential tests in memory, judged by the same contract suite as DynamoSequentialTests."""

from hindsight.evaluation.sequential.sequential_test import SequentialTest
from hindsight.evaluation.sequential.subject import EvaluationSubject


class InMemorySequentialTests:
    """Tests by model and subject, of those beside the champion by version too."""

    def __init__(self) -> None:
        self.tests: dict[tuple[str, EvaluationSubject, str], SequentialTest] = {}

    def load(self, model: str, subject: EvaluationSubject, version: str = "") -> SequentialTest | None:
        return self.tests.get(_key(model, subject, version))

    def save(self, model: str, test: SequentialTest) -> bool:
        stored = self.load(model, test.claim.subject, test.claim.version)
        if test.updates != (stored.updates if stored else 0) + 1:
            return False
        self.tests[_key(model, test.claim.subject, test.claim.version)] = test
        return True


def _key(model: str, subject: EvaluationSubject, version: str) -> tuple[str, EvaluationSubject, str]:
    return (model, subject, version if subject is EvaluationSubject.PERFORMANCE_BESIDE else "")

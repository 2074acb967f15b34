"""Rollout evaluations in memory, judged by the same contract suite as DynamoEvaluationStore."""

from collections.abc import Mapping
from typing import Any

from hindsight.evaluation.sequential.subject import EvaluationSubject


class InMemoryEvaluationStore:
    """Evaluations by model and subject, and the deployments published."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, EvaluationSubject], dict[str, Any]] = {}
        self.sequences: dict[str, int] = {}

    def record_evaluation(self, model: str, subject: EvaluationSubject, evaluation: Mapping[str, Any]) -> None:
        before = self.kept.get((model, subject))
        if before is None or before["at"] <= evaluation["at"]:
            self.kept[model, subject] = dict(evaluation)

    def evaluations(self, model: str) -> dict[str, dict[str, Any]]:
        return {subject.value: found for (name, subject), found in self.kept.items() if name == model}

    def published_sequence(self, model: str) -> int:
        return self.sequences.get(model, 0)

    def record_published_sequence(self, model: str, sequence: int) -> None:
        self.sequences[model] = max(sequence, self.published_sequence(model))

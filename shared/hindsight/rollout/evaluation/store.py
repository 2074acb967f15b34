"""The store of rollout evaluations: the newest ones, for operators, and how far deployments are published."""

from collections.abc import Mapping
from typing import Any, Protocol

from hindsight.evaluation.sequential.subject import EvaluationSubject

SAMPLE_RATIO_MISMATCH = "sample_ratio_mismatch"
"""The verdict on a canary that answers another share than it was to; readers of it do without numpy."""


class EvaluationStore(Protocol):
    """The newest evaluations of every model's rollout and probation, and the deployments whose events are published."""

    def record_evaluation(self, model: str, subject: EvaluationSubject, evaluation: Mapping[str, Any]) -> None:
        """Keep the newest evaluation, in place of the previous one; it has ``at``."""

    def evaluations(self, model: str) -> dict[str, dict[str, Any]]:
        """Read the newest evaluation of a model's rollout and of its probation, by subject."""

    def published_sequence(self, model: str) -> int:
        """Read the sequence of the last deployment whose events are published, 0 before the first."""

    def record_published_sequence(self, model: str, sequence: int) -> None:
        """Record that the events of all deployments up to one are published."""

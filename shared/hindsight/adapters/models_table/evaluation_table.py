"""Rollout evaluations in the models table; read by functions that start without the scientific layer."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.model_items import ModelItems
from hindsight.core import compact_json
from hindsight.evaluation.sequential.subject import EvaluationSubject

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_PUBLISHED = "published-deployments"
_EVALUATED = (EvaluationSubject.ROLLOUT, EvaluationSubject.PROBATION)


class DynamoEvaluationStore:
    """A few items a model; see ``hindsight.rollout.evaluation.store.EvaluationStore``."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._items = ModelItems(table, client)

    def record_evaluation(self, model: str, subject: EvaluationSubject, evaluation: Mapping[str, Any]) -> None:
        """Keep the newest evaluation, unless a later one is kept: a replay must not hide it."""
        values = {"at": evaluation["at"], "evaluation": compact_json.dumps(evaluation)}
        self._items.put_if_newer(model, _sort_key(subject), values, attribute="at")

    def evaluations(self, model: str) -> dict[str, dict[str, Any]]:
        """Read the newest evaluation of a model's rollout and of its probation, by subject."""
        found = {subject: self._items.get(model, _sort_key(subject)) for subject in _EVALUATED}
        return {subject.value: compact_json.loads(item["evaluation"]) for subject, item in found.items() if item}

    def published_sequence(self, model: str) -> int:
        """Read the sequence of the last deployment whose events are published, 0 before the first."""
        item = self._items.get(model, _PUBLISHED)
        return 0 if item is None else int(item["sequence"])

    def record_published_sequence(self, model: str, sequence: int) -> None:
        """Record that all deployments up to one are published; of two evaluations at once the later one counts."""
        self._items.put_if_newer(model, _PUBLISHED, {"sequence": sequence}, attribute="sequence")


def _sort_key(subject: EvaluationSubject) -> str:
    return f"{subject.value}-evaluation"

"""Sequential tests in the models table."""

from typing import TYPE_CHECKING

from hindsight.adapters.dynamodb.model_items import ModelItems
from hindsight.core import compact_json
from hindsight.evaluation.sequential.sequential_test import SequentialTest
from hindsight.evaluation.sequential.subject import EvaluationSubject

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoSequentialTests:
    """One item a model and subject; see ``hindsight.evaluation.sequential.sequential_test.SequentialTests``.

    A test is one attribute of compact JSON: a stake may be smaller than DynamoDB's smallest number.
    """

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._items = ModelItems(table, client)

    def load(self, model: str, subject: EvaluationSubject, version: str = "") -> SequentialTest | None:
        """Read the newest test of a model's subject, the present one or the last; beside the champion of a version."""
        item = self._items.get(model, _sort_key(subject, version))
        return None if item is None else SequentialTest.from_plain(compact_json.loads(item["test"]))

    def save(self, model: str, test: SequentialTest) -> bool:
        """Store a test one update after the stored one; False, and nothing stored, if another was faster."""
        values = {"updates": test.updates, "test": compact_json.dumps(test.to_plain())}
        sort_key = _sort_key(test.claim.subject, test.claim.version)
        return self._items.put_if_version(model, sort_key, values, attribute="updates", expected=test.updates - 1)


def _sort_key(subject: EvaluationSubject, version: str) -> str:
    of_version = f"#{version}" if subject is EvaluationSubject.PERFORMANCE_BESIDE else ""
    return f"{subject.value}-test{of_version}"

"""The tests of rollouts and probations in the models table."""

from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.requests import from_item, to_item
from hindsight.core import compact_json
from hindsight.evaluation.sequential.comparison_test import SequentialTest
from hindsight.evaluation.sequential.subject import EvaluationSubject

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoSequentialTests:
    """Two items a model; see ``hindsight.evaluation.sequential.comparison_test.SequentialTests``."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client

    def load(self, model: str, subject: EvaluationSubject) -> SequentialTest | None:
        """Return the test of a model's rollout or probation, the present one or the last."""
        answer = self._client.get_item(
            TableName=self._table, Key=to_item({"pk": model, "sk": _sort_key(subject)}), ConsistentRead=True
        )
        if "Item" not in answer:
            return None
        return SequentialTest.from_json(compact_json.loads(from_item(answer["Item"])["test"]))

    def save(self, model: str, test: SequentialTest) -> bool:
        """Store a test one update after the stored one; False, and nothing stored, if another look was faster."""
        condition: Any = {"ConditionExpression": "attribute_not_exists(pk)"}
        if test.updates > 1:
            condition = {
                "ConditionExpression": "updates = :expected",
                "ExpressionAttributeValues": to_item({":expected": test.updates - 1}),
            }
        item = {
            "pk": model,
            "sk": _sort_key(test.claim.subject),
            "updates": test.updates,
            "test": compact_json.dumps(test.to_json()),
        }
        try:
            self._client.put_item(TableName=self._table, Item=to_item(item), **condition)
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _sort_key(subject: EvaluationSubject) -> str:
    return f"{subject.value}-test"

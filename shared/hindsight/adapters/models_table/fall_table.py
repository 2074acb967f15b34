"""The tests of live performance in the models table."""

from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.requests import from_item, to_item
from hindsight.core import compact_json
from hindsight.evaluation.sequential.degradation_test import FallTest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TEST = "performance-test"


class DynamoFallTests:
    """One item a model; see ``hindsight.evaluation.sequential.degradation_test.FallTests``."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client

    def load(self, model: str) -> FallTest | None:
        """Return the test of a model's serving version, or of the one before it."""
        answer = self._client.get_item(
            TableName=self._table, Key=to_item({"pk": model, "sk": _TEST}), ConsistentRead=True
        )
        if "Item" not in answer:
            return None
        return FallTest.from_json(compact_json.loads(from_item(answer["Item"])["test"]))

    def save(self, model: str, test: FallTest) -> bool:
        """Store a test one update after the stored one; False, and nothing stored, if another look was faster."""
        condition: Any = {"ConditionExpression": "attribute_not_exists(pk)"}
        if test.updates > 1:
            condition = {
                "ConditionExpression": "updates = :expected",
                "ExpressionAttributeValues": to_item({":expected": test.updates - 1}),
            }
        item = {"pk": model, "sk": _TEST, "updates": test.updates, "test": compact_json.dumps(test.to_json())}
        try:
            self._client.put_item(TableName=self._table, Item=to_item(item), **condition)
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

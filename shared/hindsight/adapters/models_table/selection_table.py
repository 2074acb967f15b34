"""The states of review selection in the models table."""

from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.requests import from_item, to_item
from hindsight.core import compact_json
from hindsight.review.selection.state import SelectionState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_STATE = "review-selection"


class DynamoSelection:
    """One item a model; see ``hindsight.review.selection.state.SelectionStore``."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client

    def load(self, model: str) -> SelectionState:
        """Return a model's state, a new one if it has none yet."""
        answer = self._client.get_item(
            TableName=self._table, Key=to_item({"pk": model, "sk": _STATE}), ConsistentRead=True
        )
        if "Item" not in answer:
            return SelectionState(model=model)
        row = from_item(answer["Item"])
        return SelectionState.from_json(model, row["state_version"], compact_json.loads(row["state"]))

    def save(self, state: SelectionState, expected_version: int) -> bool:
        """Store a state; False, and nothing stored, if the stored one is no longer of the expected version."""
        # Two shards that draw from one state would spend the same budget twice; the slower one draws again.
        condition: Any = {"ConditionExpression": "attribute_not_exists(pk)"}
        if expected_version:
            condition = {
                "ConditionExpression": "state_version = :expected",
                "ExpressionAttributeValues": to_item({":expected": expected_version}),
            }
        item = {"pk": state.model, "sk": _STATE, "state_version": state.version}
        try:
            self._client.put_item(
                TableName=self._table, Item=to_item({**item, "state": compact_json.dumps(state.to_json())}), **condition
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

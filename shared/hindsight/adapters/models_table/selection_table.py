"""The states of review selection in the models table."""

from typing import TYPE_CHECKING

from hindsight.adapters.dynamodb.model_items import ModelItems
from hindsight.core import compact_json
from hindsight.review.selection.state import SelectionState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_STATE = "review-selection"
_VERSION = "state_version"


class DynamoSelection:
    """One item a model; see ``hindsight.review.selection.state.SelectionStore``."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._items = ModelItems(table, client)

    def load(self, model: str) -> SelectionState:
        """Read a model's state, a new one if it has none yet."""
        found = self._items.get(model, _STATE)
        if found is None:
            return SelectionState(model=model)
        return SelectionState.from_json(model, found[_VERSION], compact_json.loads(found["state"]))

    def save(self, state: SelectionState, expected_version: int) -> bool:
        """Store a state; False, and nothing stored, if the stored one is no longer of the expected version."""
        # Two shards that select from one state would spend the same budget twice; the slower one begins again.
        values = {_VERSION: state.version, "state": compact_json.dumps(state.to_json())}
        return self._items.put_if_version(state.model, _STATE, values, attribute=_VERSION, expected=expected_version)

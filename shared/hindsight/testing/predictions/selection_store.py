"""A selection store in memory, judged by the same contract suite as DynamoSelection."""

from collections.abc import Callable

from hindsight.core import compact_json
from hindsight.review.selection.state import SelectionState


class InMemorySelection:
    """States as the JSON they are kept as; ``between`` is called after every read, where others may come in."""

    def __init__(self) -> None:
        self.stored: dict[str, tuple[int, str]] = {}
        self.between: Callable[[], None] = lambda: None

    def load(self, model: str) -> SelectionState:
        version, body = self.stored.get(model, (0, ""))
        self.between()
        return (
            SelectionState.from_json(model, version, compact_json.loads(body)) if body else SelectionState(model=model)
        )

    def save(self, state: SelectionState, expected_version: int) -> bool:
        if self.stored.get(state.model, (0, ""))[0] != expected_version:
            return False
        self.stored[state.model] = (state.version, compact_json.dumps(state.to_json()))
        return True

"""Allowances of entities as items of the predictions table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hindsight.adapters.dynamodb.model_items import ModelItems
from hindsight.adapters.dynamodb.requests import back_off
from hindsight.core.errors import Unavailable
from hindsight.core.retry import Overtaken, optimistic
from hindsight.labels.joining.entity_limit import Allowance

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SORT_KEY = "allowance"
_ATTEMPTS = 12


class DynamoAllowances:
    """One item an entity and span; see ``hindsight.labels.joining.entity_limit.EntityAllowances``."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._items = ModelItems(table, client)

    def take(self, allowance: Allowance, events: Sequence[str]) -> set[str]:
        """Select which of some events are within an allowance. Raises Unavailable if others keep taking at once."""
        # No model's name begins with a #: a prediction's partition never does.
        partition = f"#{_SORT_KEY}#{allowance.model}#{allowance.name}"

        def attempt() -> set[str]:
            held = self._items.get(partition, _SORT_KEY) or {"revision": 0, "taken": []}
            before, taken = held["revision"], held["taken"]
            room = max(0, allowance.count - len(taken))
            fresh = [event for event in dict.fromkeys(events) if event not in set(taken)][:room]
            values = {"taken": [*taken, *fresh], "revision": before + 1, "expires_at": allowance.expires_at}
            if fresh and not self._items.put_if_version(
                partition, _SORT_KEY, values, attribute="revision", expected=before
            ):
                raise Overtaken
            return {*taken, *fresh}.intersection(events)

        return optimistic(
            attempt,
            otherwise=Unavailable("too many workers count the feedback of one entity at once"),
            pause=back_off,
            max_attempts=_ATTEMPTS,
        )

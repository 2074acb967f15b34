"""The newest checks in the models table."""

from typing import TYPE_CHECKING

from hindsight.adapters.dynamodb.model_items import ModelItems
from hindsight.monitoring.results.check import Check, CheckKind

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoChecks:
    """One item a model and kind; see ``hindsight.monitoring.results.check.CheckStore``."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._items = ModelItems(table, client)

    def put(self, check: Check) -> None:
        """Store a check, unless a newer one of its kind is stored."""
        self._items.put_if_newer(check.model, f"check#{check.kind}", check.to_plain(), attribute="at")

    def latest(self, model: str, kind: CheckKind) -> Check | None:
        """Read the newest check, None before the first."""
        item = self._items.get(model, f"check#{kind}")
        return None if item is None else Check.from_plain(item)

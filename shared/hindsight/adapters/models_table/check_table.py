"""The newest checks in the models table."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from hindsight.adapters.dynamodb.model_items import ModelItems
from hindsight.core import compact_json
from hindsight.core.times import format_time
from hindsight.monitoring.results.check import Check, CheckKind

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


_BESIDE = "checks-beside"


class DynamoChecks:
    """One item a model and kind, and one of all versions beside its champion.

    See ``hindsight.monitoring.results.check.CheckStore``.
    """

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._items = ModelItems(table, client)

    def put(self, check: Check) -> None:
        """Store a check, unless a newer one of its kind is stored."""
        self._items.put_if_newer(check.model, f"check#{check.kind}", check.to_plain(), attribute="at")

    def latest(self, model: str, kind: CheckKind) -> Check | None:
        """Read the newest check, None before the first."""
        item = self._items.get(model, f"check#{kind}")
        return None if item is None else Check.from_plain(item)

    def put_beside(self, model: str, at: datetime, checks: Sequence[Check]) -> None:
        """Store the checks of all versions beside a champion, in place of an earlier round's."""
        values = {"at": format_time(at), "checks": compact_json.dumps([check.to_plain() for check in checks])}
        self._items.put_if_newer(model, _BESIDE, values, attribute="at")

    def beside(self, model: str) -> list[Check]:
        """Read the checks of the versions beside the champion, of the newest round."""
        item = self._items.get(model, _BESIDE)
        return [] if item is None else [Check.from_plain(check) for check in compact_json.loads(item["checks"])]

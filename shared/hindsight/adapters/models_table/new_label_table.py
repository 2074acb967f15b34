"""New labels in the models table, apart from the model's own items."""

import time
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.requests import at_once, batch_write, from_item, pause_seconds, put, query_all, to_item
from hindsight.core.errors import Unavailable
from hindsight.core.times import format_time, parse_time
from hindsight.labels.archiving.new_labels import HOUR, MINUTES, Arrivals, DayCounts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Arrivals are lost only if no settling succeeded for a week.
KEPT_FOR = timedelta(days=7)
_ARRIVED, _DAY, _SETTLED = "arrived#", "day#", "settled"
_HOUR = "%Y-%m-%dT%HZ"
_ATTEMPTS = 10


class DynamoNewLabels:
    """One small item a batch, and one a day; see ``hindsight.labels.archiving.new_labels.NewLabelStore``."""

    def __init__(self, table: str, client: "DynamoDBClient", sleep: Callable[[float], None] = time.sleep) -> None:
        self._table = table
        self._client = client
        self._sleep = sleep

    def note(self, arrivals: Sequence[Arrivals]) -> None:
        """Store arrivals, each under the digest of its entries: equal ones are one item."""
        for _ in at_once(self._put, arrivals):
            pass

    def arrivals(self, model: str, since: datetime | None, before: datetime | None = None) -> Iterator[Arrivals]:
        """Yield the arrivals of some hours, hour by hour; read only as far as they are taken."""
        first = _ARRIVED + (since.strftime(_HOUR) if since else "")
        # "~" sorts after every hour; an hour sorts before its items.
        last = _ARRIVED + (before.strftime(_HOUR) if before else "~")
        for page in self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues=to_item({":pk": _partition(model), ":first": first, ":last": last}),
            ProjectionExpression="sk, entries",
        ):
            for item in page["Items"]:
                # Parsed by hand: a request may read thousands of them.
                _, hour, name = item["sk"]["S"].split("#")
                moment = parse_time(hour.replace("Z", ":00:00Z"))
                yield Arrivals(model, moment, item["entries"]["B"], is_packed=name.startswith("p"))

    def forget(self, arrivals: Sequence[Arrivals]) -> None:
        """Remove arrivals that are counted or packed."""
        keys = [to_item({"pk": _partition(found.model), "sk": _arrived_key(found)}) for found in arrivals]
        batch_write(self._client, self._table, [{"DeleteRequest": {"Key": key}} for key in keys], self._sleep)

    def days(self, model: str, first: date, last: date) -> list[DayCounts]:
        """Read the counts of days that have some."""
        rows = query_all(
            self._client,
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues=to_item(
                {":pk": _partition(model), ":first": _day_key(first), ":last": _day_key(last)}
            ),
            # The mark of settling is read consistently as well: a stale count would miss a settled hour.
            ConsistentRead=True,
        )
        return [_from_row(row) for row in rows]

    def add(self, model: str, day: date, hour: datetime, minutes: Sequence[int]) -> None:
        """Add what arrived in an hour to a day's counts, conditional on the counts it was added to."""
        key = {"pk": _partition(model), "sk": _day_key(day)}
        for attempt in range(_ATTEMPTS):
            row, counted = self._get(key), minutes
            condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
            if row is not None:
                if hour < parse_time(row["settled_until"]):
                    return
                counted = [sum(both) for both in zip(_from_row(row).minutes, minutes, strict=True)]
                condition = {
                    "ConditionExpression": "settled_until = :before",
                    "ExpressionAttributeValues": to_item({":before": row["settled_until"]}),
                }
            item = {**key, "settled_until": format_time(hour + HOUR), "minutes": _packed(counted)}
            if put(self._client, self._sleep, TableName=self._table, Item=to_item(item), **condition) is None:
                return
            self._sleep(pause_seconds(attempt))
        raise Unavailable(f"other workers keep counting the labels of {model!r}")

    def settled_until(self, model: str) -> datetime | None:
        """Read the hour before which all arrivals are in the days' counts."""
        row = self._get({"pk": _partition(model), "sk": _SETTLED})
        return None if row is None else parse_time(row["settled_until"])

    def mark_settled(self, model: str, until: datetime) -> None:
        """Advance the mark of settling; an earlier hour changes nothing."""
        put(
            self._client,
            self._sleep,
            TableName=self._table,
            Item=to_item({"pk": _partition(model), "sk": _SETTLED, "settled_until": format_time(until)}),
            ConditionExpression="attribute_not_exists(pk) OR settled_until < :until",
            ExpressionAttributeValues=to_item({":until": format_time(until)}),
        )

    def _put(self, arrivals: Arrivals) -> None:
        item = {
            "pk": _partition(arrivals.model),
            "sk": _arrived_key(arrivals),
            "entries": arrivals.entries,
            "expires_at": int((arrivals.hour + KEPT_FOR).timestamp()),
        }
        self._client.put_item(TableName=self._table, Item=to_item(item))

    def _get(self, key: dict[str, str]) -> dict[str, Any] | None:
        answer = self._client.get_item(TableName=self._table, Key=to_item(key), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None


def _partition(model: str) -> str:
    return f"{model}#new-labels"


def _arrived_key(arrivals: Arrivals) -> str:
    return f"{_ARRIVED}{arrivals.hour.strftime(_HOUR)}#{arrivals.name}"


def _day_key(day: date) -> str:
    return f"{_DAY}{day.isoformat()}"


def _packed(minutes: Sequence[int]) -> bytes:
    """Compress counts: a few bytes for an idle day, 2 KB for a busy one."""
    return zlib.compress(array("I", minutes).tobytes(), 6)


def _from_row(row: dict[str, Any]) -> DayCounts:
    minutes = array("I")
    minutes.frombytes(zlib.decompress(row["minutes"], bufsize=4 * MINUTES))
    return DayCounts(date.fromisoformat(row["sk"].removeprefix(_DAY)), parse_time(row["settled_until"]), minutes)

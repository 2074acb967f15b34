"""New labels in the models table, apart from the model's own items."""

import time
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.requests import (
    at_once,
    batch_get,
    batch_write,
    from_item,
    pause_seconds,
    put,
    query_all,
    to_item,
    unavailable_if_busy,
)
from hindsight.core.errors import Unavailable
from hindsight.core.times import format_time, parse_time
from hindsight.labels.archiving.new_label_counts import HOUR, MINUTES, Arrivals, DayCounts, HourCounts, StaleHour
from hindsight.labels.archiving.new_label_store import Marks

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Arrivals are lost only if no settling succeeded for a week.
KEPT_FOR = timedelta(days=7)
_ARRIVED, _SUMMED, _STALE, _DAY, _MARKS = "arrived#", "summed#", "stale#", "day#", "marks"
_HOUR = "%Y-%m-%dT%HZ"
_ATTEMPTS = 10


class DynamoNewLabels:
    """One small item a batch, few an hour, one a day; see ``NewLabelStore``."""

    def __init__(self, table: str, client: "DynamoDBClient", sleep: Callable[[float], None] = time.sleep) -> None:
        self._table = table
        self._client = client
        self._sleep = sleep

    def note(self, arrivals: Sequence[Arrivals]) -> None:
        """Store arrivals, each under the digest of its entries: equal ones are one item."""
        self._put_all(
            {
                "pk": _partition(found.model),
                "sk": f"{_ARRIVED}{_text(found.hour)}#{found.name}",
                "entries": found.entries,
                "expires_at": _expiry(found.hour),
            }
            for found in arrivals
        )

    def arrivals(self, model: str, since: datetime | None, before: datetime | None = None) -> Iterator[Arrivals]:
        """Read the arrivals of some hours lazily, the newest first."""
        request = self._hours(_ARRIVED, model, since, before)
        pages = iter(self._client.get_paginator("query").paginate(**request, ScanIndexForward=False))
        while True:
            with unavailable_if_busy():
                page = next(pages, None)
            if page is None:
                return
            for item in page["Items"]:
                # Parsed by hand: a count may read thousands of them.
                yield Arrivals(model, _hour(item["sk"]["S"].split("#")[1]), item["entries"]["B"])

    def marks(self, models: Iterable[str]) -> Mapping[str, Marks]:
        """Read the marks of models that have some."""
        keys = {(_partition(model), _MARKS): model for model in models}
        rows = batch_get(self._client, self._table, keys, consistent=True, sleep=self._sleep)
        return {keys[row["pk"], row["sk"]]: Marks(_moment(row, "settled"), _moment(row, "summed")) for row in rows}

    def advance(self, model: str, *, settled: datetime | None = None, summed: datetime | None = None) -> None:
        """Advance marks, each by a write that an earlier hour does not pass."""
        for name, until in {"settled": settled, "summed": summed}.items():
            if until is None:
                continue
            try:
                with unavailable_if_busy():
                    self._client.update_item(
                        TableName=self._table,
                        Key=to_item({"pk": _partition(model), "sk": _MARKS}),
                        UpdateExpression="SET #mark = :until",
                        ConditionExpression="attribute_not_exists(#mark) OR #mark < :until",
                        ExpressionAttributeNames={"#mark": name},
                        ExpressionAttributeValues=to_item({":until": format_time(until)}),
                    )
            except self._client.exceptions.ConditionalCheckFailedException:
                pass

    def mark_stale(self, hours: Sequence[StaleHour]) -> None:
        """Store an item for each."""
        self._put_all({**_stale_key(found), "expires_at": _expiry(found.hour)} for found in hours)

    def stale(self, model: str, since: datetime | None, before: datetime) -> list[StaleHour]:
        """Read which hours are stale, in the order of their keys."""
        rows = query_all(self._client, **self._hours(_STALE, model, since, before))
        keys = (row["sk"].split("#") for row in rows)
        return [StaleHour(model, _hour(hour), name) for _, hour, name in keys]

    def mark_fresh(self, hours: Sequence[StaleHour]) -> None:
        """Remove stale hours."""
        keys = [to_item(_stale_key(found)) for found in hours]
        batch_write(self._client, self._table, [{"DeleteRequest": {"Key": key}} for key in keys], self._sleep)

    def hours(self, model: str, since: datetime | None, before: datetime) -> Iterator[HourCounts]:
        """Read the counts of hours: an item that names the version, and behind it that version's days."""
        hour, wanted, days = None, "", dict[date, Sequence[int]]()
        for row in query_all(self._client, **self._hours(_SUMMED, model, since, before)):
            _, text, *rest = row["sk"].split("#")
            if rest == [""]:
                if hour is not None:
                    yield HourCounts(hour, days)
                hour, wanted, days = _hour(text), row["version"], {}
            elif rest[0] == wanted:
                days[date.fromisoformat(rest[1])] = _unpacked(row["minutes"])
        if hour is not None:
            yield HourCounts(hour, days)

    def keep_hour(self, model: str, counts: HourCounts, before: str | None) -> bool:
        """Store a version's days, then name the version, conditional on the one before.

        What the version before left expires: a reader may be amid it.
        """
        version, expires_at = counts.version, _expiry(counts.hour)
        key = {"pk": _partition(model), "sk": f"{_SUMMED}{_text(counts.hour)}#"}
        self._put_all(
            {**key, "sk": f"{key['sk']}{version}#{day}", "minutes": _packed(minutes), "expires_at": expires_at}
            for day, minutes in counts.days.items()
        )
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if before is not None:
            condition = {
                "ConditionExpression": "version = :before",
                "ExpressionAttributeValues": to_item({":before": before}),
            }
        item = to_item({**key, "version": version, "expires_at": expires_at})
        return put(self._client, self._sleep, TableName=self._table, Item=item, **condition) is None

    def days(self, model: str, first: date, last: date) -> list[DayCounts]:
        """Read the counts of days that have some."""
        rows = query_all(
            self._client,
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues=to_item(
                {":pk": _partition(model), ":first": _day_key(first), ":last": _day_key(last)}
            ),
            # The marks are read consistently as well: a stale count would miss a settled hour.
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

    def _put_all(self, items: Iterable[dict[str, Any]]) -> None:
        def write(item: dict[str, Any]) -> None:
            self._client.put_item(TableName=self._table, Item=to_item(item))

        for _ in at_once(write, list(items)):
            pass

    def _hours(self, kind: str, model: str, since: datetime | None, before: datetime | None) -> dict[str, Any]:
        """Build the query of a kind's items of the hours from one on and before another."""
        first = kind + (_text(since) if since else "")
        # "~" sorts after every hour; an hour sorts before its items.
        last = kind + (_text(before) if before else "~")
        return {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": to_item({":pk": _partition(model), ":first": first, ":last": last}),
            # What a mark or a stale hour promises is about what was written before.
            "ConsistentRead": True,
        }

    def _get(self, key: dict[str, str]) -> dict[str, Any] | None:
        answer = self._client.get_item(TableName=self._table, Key=to_item(key), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None


def _partition(model: str) -> str:
    return f"{model}#new-labels"


def _stale_key(found: StaleHour) -> dict[str, str]:
    return {"pk": _partition(found.model), "sk": f"{_STALE}{_text(found.hour)}#{found.name}"}


def _day_key(day: date) -> str:
    return f"{_DAY}{day.isoformat()}"


def _text(hour: datetime) -> str:
    return hour.strftime(_HOUR)


def _hour(text: str) -> datetime:
    return parse_time(text.replace("Z", ":00:00Z"))


def _expiry(hour: datetime) -> int:
    return int((hour + KEPT_FOR).timestamp())


def _moment(row: Mapping[str, Any], name: str) -> datetime | None:
    return parse_time(row[name]) if name in row else None


def _packed(minutes: Sequence[int]) -> bytes:
    """Compress counts: a few bytes for an idle day, 2 KB for a busy one."""
    return zlib.compress(array("I", minutes).tobytes(), 6)


def _unpacked(packed: bytes) -> Sequence[int]:
    minutes = array("I")
    minutes.frombytes(zlib.decompress(packed, bufsize=4 * MINUTES))
    return minutes


def _from_row(row: dict[str, Any]) -> DayCounts:
    day = date.fromisoformat(row["sk"].removeprefix(_DAY))
    return DayCounts(day, parse_time(row["settled_until"]), _unpacked(row["minutes"]))

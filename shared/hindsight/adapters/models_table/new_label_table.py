"""New labels in the models table, apart from the model's own items."""

import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.model_items import ModelItems
from hindsight.adapters.dynamodb.requests import (
    at_once,
    back_off,
    batch_get,
    batch_write,
    query_pages,
    to_item,
    unavailable_if_busy,
)
from hindsight.core.errors import Unavailable
from hindsight.core.retry import Overtaken, optimistic
from hindsight.core.times import format_time, parse_time
from hindsight.labels.archiving.new_label_counts import HOUR, MINUTES, Arrivals, DayCounts, HourCounts, StaleHour
from hindsight.labels.archiving.new_label_store import Marks

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Arrivals are lost only if no settling succeeded for a week.
KEPT_FOR = timedelta(days=7)
_ARRIVED, _SUMMED, _STALE, _DAY, _MARKS = "arrived#", "summed#", "stale#", "day#", "marks"
_HOUR = "%Y-%m-%dT%HZ"


class DynamoNewLabels:
    """One small item a batch, few an hour, one a day; see ``NewLabelStore``."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._items = ModelItems(table, client)
        self._client = client

    def note(self, arrivals: Sequence[Arrivals]) -> None:
        """Store arrivals, each under the digest of its entries: equal ones are one item."""
        self._put_all(
            (
                _partition(found.model),
                f"{_ARRIVED}{_text(found.hour)}#{found.name}",
                {"entries": found.entries, "expires_at": _expiry(found.hour)},
            )
            for found in arrivals
        )

    def arrivals(self, model: str, since: datetime | None, before: datetime | None = None) -> Iterator[Arrivals]:
        """Read the arrivals of some hours lazily, the newest first."""
        first, last = _hours(_ARRIVED, since, before)
        pages = query_pages(
            self._client,
            TableName=self._items.table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues=to_item({":pk": _partition(model), ":first": first, ":last": last}),
            # What a mark or a stale hour promises is about what was written before.
            ConsistentRead=True,
            ScanIndexForward=False,
        )
        # Parsed by hand: a count may read thousands of them.
        for item in chain.from_iterable(page["Items"] for page in pages):
            yield Arrivals(model, _hour(item["sk"]["S"].split("#")[1]), item["entries"]["B"])

    def marks(self, models: Iterable[str]) -> Mapping[str, Marks]:
        """Read the marks of models that have some."""
        keys = {(_partition(model), _MARKS): model for model in models}
        rows = batch_get(self._client, self._items.table, keys, consistent=True)
        return {keys[row["pk"], row["sk"]]: Marks(_moment(row, "settled"), _moment(row, "summed")) for row in rows}

    def advance(self, model: str, *, settled: datetime | None = None, summed: datetime | None = None) -> None:
        """Advance marks, each by a write that an earlier hour does not pass."""
        for name, until in {"settled": settled, "summed": summed}.items():
            if until is None:
                continue
            try:
                with unavailable_if_busy():
                    self._client.update_item(
                        TableName=self._items.table,
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
        self._put_all((*_stale_key(found), {"expires_at": _expiry(found.hour)}) for found in hours)

    def stale(self, model: str, since: datetime | None, before: datetime) -> list[StaleHour]:
        """Read which hours are stale, in the order of their keys."""
        rows = self._items.between(_partition(model), *_hours(_STALE, since, before))
        keys = (row["sk"].split("#") for row in rows)
        return [StaleHour(model, _hour(hour), name) for _, hour, name in keys]

    def mark_fresh(self, hours: Sequence[StaleHour]) -> None:
        """Remove stale hours."""
        keys = [dict(zip(("pk", "sk"), _stale_key(found), strict=True)) for found in hours]
        deletions = [{"DeleteRequest": {"Key": to_item(key)}} for key in keys]
        batch_write(self._client, self._items.table, deletions)

    def hours(self, model: str, since: datetime | None, before: datetime) -> Iterator[HourCounts]:
        """Read the counts of hours: an item that names the version, and behind it that version's days."""
        hour, wanted, days = None, "", dict[date, Sequence[int]]()
        for row in self._items.between(_partition(model), *_hours(_SUMMED, since, before)):
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
        """Store a version's days, then name the version, conditional on the previous one.

        What the version before left expires: a reader may be amid it.
        """
        partition, key, version = _partition(model), f"{_SUMMED}{_text(counts.hour)}#", counts.version
        expires = {"expires_at": _expiry(counts.hour)}
        self._put_all(
            (partition, f"{key}{version}#{day}", {"minutes": _packed(minutes), **expires})
            for day, minutes in counts.days.items()
        )
        named = {"version": version, **expires}
        return self._items.put_if_version(partition, key, named, attribute="version", expected=before)

    def days(self, model: str, first: date, last: date) -> list[DayCounts]:
        """Read the counts of days that have some."""
        # The marks are read consistently as well: a stale count would miss a settled hour.
        return [_from_row(row) for row in self._items.between(_partition(model), _day_key(first), _day_key(last))]

    def add(self, model: str, day: date, hour: datetime, minutes: Sequence[int]) -> None:
        """Add what arrived in an hour to a day's counts, conditional on the counts it was added to."""
        partition, key = _partition(model), _day_key(day)

        def attempt() -> None:
            row, before, counted = self._items.get(partition, key), None, minutes
            if row is not None:
                before = row["settled_until"]
                if hour < parse_time(before):
                    return
                counted = [sum(both) for both in zip(_from_row(row).minutes, minutes, strict=True)]
            values = {"settled_until": format_time(hour + HOUR), "minutes": _packed(counted)}
            if not self._items.put_if_version(partition, key, values, attribute="settled_until", expected=before):
                raise Overtaken

        optimistic(
            attempt,
            otherwise=Unavailable(f"other workers keep counting the labels of {model!r}"),
            pause=back_off,
        )

    def _put_all(self, items: Iterable[tuple[str, str, dict[str, Any]]]) -> None:
        for _ in at_once(lambda item: self._items.put(*item), list(items)):
            pass


def _hours(kind: str, since: datetime | None, before: datetime | None) -> tuple[str, str]:
    """Build the range of a kind's keys of the hours from one on and before another."""
    # "~" sorts after every hour; an hour sorts before its items.
    return kind + (_text(since) if since else ""), kind + (_text(before) if before else "~")


def _partition(model: str) -> str:
    return f"{model}#new-labels"


def _stale_key(found: StaleHour) -> tuple[str, str]:
    return _partition(found.model), f"{_STALE}{_text(found.hour)}#{found.name}"


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

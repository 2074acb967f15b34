from datetime import datetime
from typing import Any

import pytest

from hindsight.core.errors import UnreadableObject
from hindsight.core.times import format_time
from hindsight.lake.object_store import LABELS, day_prefix
from hindsight.testing.aws.lake import InMemoryLake
from tests.unit.labels.new_label_oracle import count_new_labels
from tests.unit.triggers.builders import DAY, HOUR, NOW

SNAPSHOT = NOW - 5 * DAY


def lake_of(*rows: dict[str, Any]) -> InMemoryLake:
    lake = InMemoryLake()
    for number, row in enumerate(rows):
        day = datetime.fromisoformat(max(row["known_at"], row["outcome_due_at"])).date()
        lake.write_lines(f"{day_prefix(LABELS, 'bike', day)}{number}", [row])
    return lake


def label(name: str, *, known: datetime, due: datetime, seq: int = 1, value: Any = 1) -> dict[str, Any]:
    times = {"known_at": format_time(known), "outcome_due_at": format_time(due)}
    return {"prediction_id": name, "seq": seq, "value": value, **times}


def count(lake: InMemoryLake, since: datetime | None = SNAPSHOT) -> int:
    return count_new_labels(lake, "bike", since=since, as_of=NOW, window=3 * DAY)


def test_labels_known_or_due_after_the_snapshot_are_new() -> None:
    lake = lake_of(
        label("seen", known=SNAPSHOT - DAY, due=SNAPSHOT - HOUR),
        label("due since", known=SNAPSHOT - DAY, due=SNAPSHOT + HOUR),
        label("known since", known=SNAPSHOT + HOUR, due=SNAPSHOT - DAY),
        label("not due", known=SNAPSHOT + HOUR, due=NOW + HOUR),
        label("not known", known=NOW + HOUR, due=NOW),
    )
    assert count(lake) == 2


def test_a_booking_known_long_before_it_is_due_is_new_when_it_falls_due() -> None:
    assert count(lake_of(label("booking", known=SNAPSHOT - 90 * DAY, due=SNAPSHOT + DAY))) == 1


def test_a_prediction_counts_once_by_its_last_record() -> None:
    lake = lake_of(
        label("amended", known=NOW - 2 * DAY, due=NOW - DAY),
        label("amended", seq=2, known=NOW - DAY, due=NOW - DAY, value=0),
        label("retracted", known=NOW - 2 * DAY, due=NOW - DAY),
        label("retracted", seq=2, known=NOW - DAY, due=NOW - DAY, value=None),
        label("redelivered", known=NOW - DAY, due=NOW - DAY),
        label("redelivered", known=NOW - DAY, due=NOW - DAY),
    )
    assert count(lake) == 2


def test_before_the_first_snapshot_every_due_label_is_new() -> None:
    lake = lake_of(label("a", known=NOW - 2 * DAY, due=NOW - 2 * DAY), label("b", known=NOW, due=NOW))
    assert count(lake, since=None) == 2
    assert count(InMemoryLake(), since=None) == 0


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08 half", b'{"prediction_id": ', b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_object_is_named_and_not_passed_over(content: bytes) -> None:
    lake = lake_of(label("p", known=NOW - HOUR, due=NOW - HOUR))
    key = f"{day_prefix(LABELS, 'bike', NOW.date())}damaged"
    lake.write_bytes(key, content, "application/x-ndjson")
    with pytest.raises(UnreadableObject, match=f"{key} is damaged"):
        count(lake)

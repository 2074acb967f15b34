"""All readers of the lake pass over keys that name no day."""

from datetime import UTC, date, datetime

import pytest

from hindsight.labels.joining.feedback_files import file_day
from hindsight.lake.object_store import PREDICTIONS, day_of, keys_between, partition_of
from hindsight.lake.rows import days_newest_first
from hindsight.profiles.logs.log_object import LogDay
from hindsight.quarantine.store import parse_key
from hindsight.testing.aws.lake import InMemoryLake

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)
FOLDER = "predictions/model=bikes/"
FOREIGN = (
    "about.txt",
    "date=2026-03-02/",
    "date=2026-03-02/copy/1.jsonl.gz",
    "date=2026-03-0x/1.jsonl.gz",
    "date=2026-03-031/1.jsonl.gz",
    "date=2026-03-3",
)


@pytest.fixture
def lake() -> InMemoryLake:
    """A day of the log, among objects of other writers."""
    lake = InMemoryLake()
    lake.write_lines(f"{FOLDER}date=2026-03-02/1.jsonl.gz", [{"prediction_id": "p"}])
    for name in FOREIGN:
        lake.objects[FOLDER + name] = b"not a row"
    return lake


def test_span_s_keys_are_those_of_its_days(lake: InMemoryLake) -> None:
    assert list(keys_between(lake, PREDICTIONS, "bikes", START, END)) == [f"{FOLDER}date=2026-03-02/1.jsonl.gz"]


def test_rows_are_read_past_foreign_objects(lake: InMemoryLake) -> None:
    [(day, rows)] = days_newest_first(lake, PREDICTIONS, "bikes", START, END)
    assert (day, list(rows)) == (date(2026, 3, 2), [{"prediction_id": "p"}])


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "0000-01-01", "2026-3-1", "yesterday"])
def test_day_that_no_calendar_has_is_no_partition(day: str) -> None:
    assert day_of(f"feedback/date={day}/part-1") is None
    assert file_day(f"feedback/date={day}/part-1") == date(1970, 1, 1)
    assert partition_of(f"{FOLDER}date={day}/1.jsonl.gz", PREDICTIONS, "bikes") is None
    assert LogDay.of(f"{FOLDER}date={day}/1.jsonl.gz") is None
    assert parse_key(f"quarantine/model=bikes/date={day}/invalid-{'0' * 32}.jsonl.gz") is None


def test_object_of_another_model_is_in_none_of_a_model_s_partitions() -> None:
    key = "predictions/model=cars/date=2026-03-02/1.jsonl.gz"
    assert partition_of(key, PREDICTIONS, "cars") == date(2026, 3, 2)
    assert partition_of(key, PREDICTIONS, "bikes") is None

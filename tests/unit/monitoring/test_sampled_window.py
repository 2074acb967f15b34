"""Of more label records than there is room for a sample is held, over the whole window, that favours no outcome."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import count, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.label_records.label_completeness import SETTLING, complete_until
from hindsight.label_records.rows import ENTITY, LabelRows
from hindsight.label_records.sampling import (
    MIN_SHARE,
    WHOLE,
    entity_hash,
    is_line_sampled,
    is_sampled,
    margin,
    prediction_hash,
    scaled_up,
)
from hindsight.label_records.window import LabelWindow, labels_in_window
from hindsight.monitoring.label_health.label_freshness import label_freshness
from hindsight.monitoring.performance.realised_performance import check_performance
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.builders.configuration import configuration
from tests.unit.monitoring.label_days import DAY, MODEL, NOON, lake_of_days

NOW = NOON + 3 * DAY + timedelta(hours=2)
BYTES_OF_ALL = 3_000_000
SHARES = [2.0**-halvings for halvings in range(6)]

Ids = set[str]


@pytest.fixture(scope="module")
def lake() -> InMemoryLake:
    return lake_of_days(4, 3000, entities=1500)


def window(lake: InMemoryLake, max_bytes: int = 600 << 20, **known: Any) -> LabelWindow:
    return labels_in_window(lake, MODEL, NOW, 4 * DAY, ["hour"], max_bytes=max_bytes, **known)


def ids(rows: LabelRows) -> Ids:
    return {str(row["prediction_id"]) for row in rows}


def test_with_room_for_all_records_nothing_is_sampled(lake: InMemoryLake) -> None:
    whole, roomy = window(lake), window(lake, BYTES_OF_ALL * 100)
    assert (len(whole.rows), whole.since, whole.sampled_share) == (12_000, None, WHOLE)
    assert roomy == whole
    assert {int(row["decision"] == row["value"]) for row in whole.rows} == {0, 1}


def test_sampled_window_covers_every_day_in_the_order_of_the_whole_one(lake: InMemoryLake) -> None:
    also = ["prediction_id"]
    whole, sampled = window(lake, also=also), window(lake, BYTES_OF_ALL, also=also)
    assert sampled.since is None
    assert 1 / 32 <= sampled.sampled_share <= 1 / 2
    days = Counter(row["outcome_due_at"][:10] for row in sampled.rows)
    assert len(days) == 4
    for found in days.values():
        assert abs(scaled_up(found, sampled.sampled_share) - 3000) <= margin(3000, sampled.sampled_share)
    kept = ids(sampled.rows)
    assert list(sampled.rows) == [row for row in whole.rows if row["prediction_id"] in kept]


def test_sampled_prediction_has_its_newest_record_and_knows_its_first(lake: InMemoryLake) -> None:
    sampled = window(lake, BYTES_OF_ALL)
    assert all(row["status"] == "final" for row in sampled.rows)
    assert {row["first_valued_at"][11:16] for row in sampled.rows} == {"11:30"}


def test_smaller_sample_is_part_of_a_larger_one(lake: InMemoryLake) -> None:
    found = [window(lake, BYTES_OF_ALL >> step, also=["prediction_id"]) for step in range(4)]
    shares = [each.sampled_share for each in found]
    assert shares == sorted(shares, reverse=True)
    assert len(set(shares)) > 2
    for larger, smaller in pairwise(found):
        assert ids(smaller.rows) <= ids(larger.rows)


def test_sample_is_the_same_at_every_reading_and_in_a_window_of_other_days(lake: InMemoryLake) -> None:
    assert window(lake, BYTES_OF_ALL) == window(lake, BYTES_OF_ALL)
    sampled = window(lake, BYTES_OF_ALL, also=["prediction_id"])
    days = labels_in_window(lake, MODEL, NOW, 2 * DAY, ["hour"], also=["prediction_id"])
    assert days.sampled_share == WHOLE
    narrowed = ids(days.rows.sampled(sampled.sampled_share))
    assert narrowed == {name for name in ids(sampled.rows) if name[0] in "123"}


def test_held_records_fit_even_where_each_has_words_of_its_own(lake: InMemoryLake) -> None:
    wordy = labels_in_window(lake, MODEL, NOW, 4 * DAY, ["word"], max_bytes=BYTES_OF_ALL)
    plain = window(lake, BYTES_OF_ALL)
    assert wordy.sampled_share < plain.sampled_share
    assert len(wordy.rows) > 0
    words = wordy.rows.features["word"].vocabulary.words
    assert len(words) <= 2 * len(wordy.rows)
    assert {row["features"]["word"].split("-")[1] for row in wordy.rows} == set("0123")


def test_room_for_nothing_holds_nothing_and_ends(lake: InMemoryLake) -> None:
    none = window(lake, 100)
    assert len(none.rows) == 0
    assert none.sampled_share >= MIN_SHARE


def test_days_without_time_to_read_them_are_left_out_oldest_first(lake: InMemoryLake) -> None:
    chunks = count()
    found = window(lake, has_time=lambda: next(chunks) < 4)
    assert (len(found.rows), found.since) == (6000, NOON.replace(hour=0) + 2 * DAY)
    assert found.shortened(4 * DAY, NOW) == NOW - NOON.replace(hour=0) - 2 * DAY
    none = window(lake, has_time=lambda: False)
    assert (len(none.rows), none.shortened(4 * DAY, NOW)) == (0, timedelta(0))


@pytest.mark.parametrize("share", SHARES[1:])
def test_estimate_of_a_large_sample_lies_by_the_whole_ones(share: float) -> None:
    """Ids, entities and outcomes may depend on each other: every fourth id fails, and each has its own."""
    names = [f"order-{number:06d}" for number in range(100_000)]
    is_right = np.array([number % 4 != 0 for number in range(len(names))])
    kept = is_sampled(np.array([prediction_hash(name) for name in names], dtype=np.uint64), share)
    deviation = np.sqrt(0.75 * 0.25 * (1 - share) / kept.sum())
    assert abs(is_right[kept].mean() - 0.75) <= 4 * deviation


def test_sampled_estimates_miss_by_chance_alone_and_their_intervals_hold() -> None:
    rules = configuration(labels={"rules": [{"event": "demand", "window": "P1D"}]}, review={"random_rate": 0})
    errors, held = list[float](), 0
    for seed in range(25):
        found = window(lake_of_days(4, 300, seed=seed), 225_000)
        assert found.sampled_share in SHARES[1:]
        report = check_performance(found.rows, rules, champion="v1", limit=0.5, test=None, level=0.01)
        assert report.champion.value is not None
        assert report.champion.lower is not None
        errors.append(report.champion.value - 0.9)
        held += report.champion.lower <= 0.9
    deviation = float(np.std(errors)) / np.sqrt(len(errors))
    assert abs(np.mean(errors)) <= 4 * deviation
    assert held >= 20  # of 25 at 95 %: fewer come by chance once in a thousand


@pytest.mark.parametrize("share", SHARES[1:])
def test_share_of_ids_is_kept_for_ids_of_any_form(share: float) -> None:
    for shape in ("{}", "order-{:09d}", "{}-even"):
        hashes = np.array([prediction_hash(shape.format(number)) for number in range(40_000)], dtype=np.uint64)
        kept = int(is_sampled(hashes, share).sum())
        assert abs(scaled_up(kept, share) - 40_000) <= margin(40_000, share)
        # Beside the sample nothing else is favoured: not the upper half, by which reviewed rows are thinned.
        upper = int((hashes[is_sampled(hashes, share)] >> np.uint64(63)).sum())
        assert abs(upper - kept / 2) <= 2 * np.sqrt(kept)


@given(st.lists(st.integers(0, 2**64 - 1)), st.integers(0, 31))
def test_record_kept_at_a_share_is_kept_at_every_larger_one(values: list[int], halvings: int) -> None:
    hashes = np.array(values, dtype=np.uint64)
    larger, smaller = is_sampled(hashes, 2.0**-halvings), is_sampled(hashes, 2.0 ** -(halvings + 1))
    assert not (smaller & ~larger).any()
    assert is_sampled(hashes, WHOLE).all()


@given(st.text(max_size=20), st.one_of(st.none(), st.text(max_size=20)), st.sampled_from(SHARES), st.booleans())
def test_line_is_wanted_just_where_its_record_is_sampled(name: str, entity: str | None, share: float, by: bool) -> None:
    spoofed = {"prediction_id": "other", "entity_id": "other"}
    line = json.dumps({"features": spoofed, "prediction_id": name, "entity_id": entity, "shadow": spoofed}).encode()
    rows = LabelRows.of([{"prediction_id": name, "entity_id": entity, "features": {}}])
    expected = bool(len(rows.sampled(share))) or (by and bool(len(rows.sampled_by_entity(share))))
    assert is_line_sampled(line, share, by_entity=by) is expected


@pytest.mark.parametrize("line", [b"{", b'{"a": NaN}', b'{"prediction_id": 3}', b'{"prediction_id": "\xff"}', b"[]"])
def test_line_whose_ids_cannot_be_read_is_left_to_the_reader(line: bytes) -> None:
    assert is_line_sampled(line, MIN_SHARE, by_entity=False)


def test_sampled_entities_come_with_all_their_records(lake: InMemoryLake) -> None:
    also = ["prediction_id", ENTITY]
    whole, sampled = window(lake, also=also), window(lake, BYTES_OF_ALL, also=also)
    share = sampled.sampled_share
    assert share < WHOLE
    for select in (LabelRows.sampled, LabelRows.sampled_by_entity):
        assert ids(select(sampled.rows, share)) == ids(select(whole.rows, share))
    kept = Counter(sampled.rows.sampled_by_entity(share).entities.hashes.tolist())
    every = Counter(whole.rows.entities.hashes.tolist())
    assert kept == {entity: every[entity] for entity in kept}
    assert abs(scaled_up(len(kept), share) - len(every)) <= margin(len(every), share)


def test_entities_are_distinguished_by_hashes_alone() -> None:
    rows = LabelRows.of([{"entity_id": name, "features": {}} for name in ("ann", "bob", None, "ann")] + [{}])
    first, second, none, again, absent = rows.entities.hashes.tolist()
    assert (first, none, absent) == (again, 0, 0)
    assert first != second
    assert first == entity_hash("ann")
    assert "ann" not in str(list(rows))


def due_hours() -> Iterator[str]:
    for hours in range(12):
        yield f"2026-03-01T{hours:02d}"


def hourly(lacking: int, share: float) -> tuple[dict[str, int], LabelRows]:
    """Count 20,000 predictions of every hour, whose labels are all in but so many of the sixth hour's."""
    rows = [
        {
            "prediction_id": f"{hour}-{number}",
            "features": {},
            "value": 1,
            "kind": "outcome",
            "occurred_at": f"{hour}:10:00.000000Z",
            "outcome_due_at": f"{hour}:30:00.000000Z",
            "known_at": f"{hour}:40:00.000000Z",
        }
        for hour in due_hours()
        for number in range(4000 - (lacking if hour.endswith("05") else 0))
    ]
    return dict.fromkeys(due_hours(), 4000), LabelRows.of(rows).sampled(share)


@pytest.mark.parametrize("share", [WHOLE, 1 / 2, 1 / 8])
def test_sampled_hours_are_complete_unless_they_lack_many_labels(share: float) -> None:
    now = NOON + timedelta(hours=1)
    due, rows = hourly(0, share)
    assert complete_until(due, rows, now, DAY, sampled_share=share) == now - SETTLING
    assert label_freshness(due, rows, now, DAY, sampled_share=share).waiting == 0
    due, rows = hourly(2000, share)
    assert complete_until(due, rows, now, DAY, sampled_share=share) == NOON - timedelta(hours=7)
    found = label_freshness(due, rows, now, DAY, sampled_share=share)
    assert abs(found.waiting - 2000) <= margin(4000, share)

"""The play of a day in small: everything that is played is archived, profiled and packed."""

import pytest

from bench.objects_a_day import KINDS, MAX_A_DAY, Play, last_feedback_rate, last_rate, measure, reckon
from hindsight.lake.packer import MAX_OPEN, PACK_BYTES
from local.template import load_template


def test_every_row_is_profiled_and_labelled_and_few_objects_are_left() -> None:
    found = measure(Play(rate=0.05, hours=12))
    assert found["rows"] == 12 * 12 * 4 * 4
    assert found["predictions_written"] >= found["labels_written"] >= 12 * 12 * 4
    assert found["objects_a_day_at_4_per_second"] == max(found[f"{kind}_left"] for kind in KINDS)
    assert max(found["predictions_left"], found["labels_left"]) <= MAX_OPEN
    assert found["requests_of_an_hourly_check"] <= MAX_OPEN + 1
    assert found["most_objects_at_once"] <= MAX_OPEN + 2 * 12 * 4


def test_without_windows_as_many_more_objects_are_written() -> None:
    found = measure(Play(rate=0.4, hours=1, window_seconds=10))
    assert found["predictions_written"] == 360 * 4 + 1


@pytest.mark.parametrize("rate", [4, 400])
@pytest.mark.parametrize("kind", sorted(PACK_BYTES))
def test_reckoned_objects_stay_few_up_to_some_traffic(rate: float, kind: str) -> None:
    assert reckon(rate, 700, kind, 300)["after_packing"] <= MAX_A_DAY


@pytest.mark.parametrize("kind", sorted(PACK_BYTES))
def test_rate_with_too_many_full_packs_is_reported(kind: str) -> None:
    last = last_rate(700, kind, MAX_A_DAY)
    assert reckon(last, 700, kind, 300)["after_packing"] == MAX_A_DAY
    assert reckon(1.01 * last, 700, kind, 300)["after_packing"] > MAX_A_DAY


def test_feedback_makes_an_object_a_minute_until_its_buffer_is_full_sooner() -> None:
    parameters = load_template()["Parameters"]
    assert 86_400 / parameters["FeedbackBufferSeconds"]["Default"] <= MAX_A_DAY
    megabytes = parameters["FeedbackBufferMegabytes"]
    assert last_feedback_rate(megabytes["Default"], MAX_A_DAY) == pytest.approx(400, rel=0.05)
    assert last_feedback_rate(megabytes["MaxValue"], MAX_A_DAY) == pytest.approx(1300, rel=0.05)

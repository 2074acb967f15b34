"""The play of a day in small: everything that is played is archived, profiled and packed."""

import pytest

from bench.objects_a_day import KINDS, Play, measure, reckon
from shared.lake import PREDICTIONS
from shared.packing.packer import MAX_OPEN


def test_every_row_is_profiled_and_labelled_and_few_objects_are_left() -> None:
    found = measure(Play(rate=0.05, hours=12))
    assert found["rows"] == 12 * 12 * 4 * 4
    assert found["predictions_written"] >= found["examples_written"] >= 12 * 12 * 4
    assert found["objects_a_day_at_4_per_second"] == max(found[f"{kind}_left"] for kind in KINDS)
    assert max(found["predictions_left"], found["examples_left"]) <= MAX_OPEN
    assert found["requests_of_an_hourly_check"] <= MAX_OPEN + 1
    assert found["most_objects_at_once"] <= MAX_OPEN + 2 * 12 * 4


def test_without_windows_as_many_more_objects_are_written() -> None:
    found = measure(Play(rate=0.4, hours=1, window_seconds=10))
    assert found["predictions_written"] == 360 * 4 + 1


@pytest.mark.parametrize(("rate", "most"), [(4, 2_000), (400, 2_000)])
def test_reckoned_objects_stay_few_at_any_traffic(rate: float, most: int) -> None:
    assert reckon(rate, 700, PREDICTIONS, 300)["after_packing"] <= most

from datetime import date, timedelta

import pytest

from hindsight.review.selection.budget import MAX_CELLS, Day, day_of, due, rows_to_come, with_day
from tests.unit.review.streams import MIDNIGHT

TODAY = MIDNIGHT.date()
YESTERDAY = TODAY - timedelta(days=1)


def day(hours: dict[int, int], on: date = TODAY) -> Day:
    return Day(day=on, hours=tuple(hours.get(hour, 0) for hour in range(24)))


def to_come(hours: dict[int, int], now: float, before: dict[int, int] | None = None) -> float:
    today = day(hours)
    days = (today,) if before is None else (day(before, YESTERDAY), today)
    return rows_to_come(days, today, MIDNIGHT + timedelta(hours=now))


EVEN = dict.fromkeys(range(24), 100)


def test_in_the_first_hour_of_a_new_model_there_is_nothing_to_go_by() -> None:
    assert to_come({}, 9.5) == 0
    assert to_come({9: 500}, 9.9) == 0


def test_a_first_day_goes_on_at_the_rate_of_its_full_hours() -> None:
    assert to_come({9: 100, 10: 300, 11: 50}, 11.2) == 200 * 12 + 150


def test_a_day_like_the_one_before_brings_the_rest_of_it() -> None:
    assert to_come(dict.fromkeys(range(6), 100), 6.0, EVEN) == pytest.approx(1800)


def test_a_busier_day_is_expected_to_stay_so() -> None:
    assert to_come(dict.fromkeys(range(12), 200), 12.0, EVEN) == pytest.approx(1200 * 1.83, rel=0.01)


def test_a_burst_at_a_fixed_hour_is_awaited_and_then_over() -> None:
    burst = {14: 5000}
    assert to_come({}, 8.0, burst) == 5000
    assert to_come({14: 2000}, 14.01, burst) == 3000
    assert to_come({14: 5000}, 15.0, burst) <= 0.5 * 5000


def test_a_first_hour_out_of_proportion_does_not_carry_the_forecast_away() -> None:
    assert to_come({0: 100_000}, 1.0, EVEN) == pytest.approx(4 * 2300)


def test_a_day_that_others_have_followed_brings_no_more() -> None:
    yesterday = day(EVEN, YESTERDAY)
    assert rows_to_come((yesterday, day({})), yesterday, MIDNIGHT) == 0


def test_the_newest_two_days_are_open_and_none_before_them() -> None:
    days = with_day(with_day((), day({}, YESTERDAY)), day({1: 5}))
    assert day_of(days, TODAY) == day({1: 5})
    assert day_of(days, YESTERDAY) == day({}, YESTERDAY)
    assert day_of(days, YESTERDAY - timedelta(days=1)) is None
    assert day_of(days, TODAY + timedelta(days=3)) == day({}, TODAY + timedelta(days=3))
    assert [known.day for known in with_day(days, day({}, TODAY + timedelta(days=3)))] == [
        TODAY,
        TODAY + timedelta(days=3),
    ]


def test_a_budget_is_shared_by_weight() -> None:
    assert due(10, [1.0, 1.0], 0, 0.5) == 10
    assert due(10, [0.5], 9, 0.5) == pytest.approx(1)
    assert due(10, [1.0], 9, 0.5) > 1.5
    assert due(0, [1.0], 9, 0.5) == due(-3, [1.0], 9, 0.5) == 0


def test_a_day_remembers_the_cells_with_most_sampled() -> None:
    full = Day(day=TODAY).with_sampled(3, [(cell,) for cell in range(MAX_CELLS + 50)] + [(7,)] * 5)
    assert full.sampled == 3
    assert len(full.cells) == MAX_CELLS
    assert full.cells[(7,)] == 6
    assert Day.from_json(full.to_json()) == full

"""The benchmark in small: no alarm without drift, shifts seen in time, and the simulation is the product."""

from datetime import timedelta

import numpy as np
import pytest

from bench.drift import TRAFFIC, detection_rows, differences_from_check_drift, false_alarms, judge
from bench.drift_agreement import agreement, stated_psi_error
from bench.drift_seasons import seasonal_alarms
from bench.drift_stream import HOURS, WINDOW_HOURS, Looks, Year
from hindsight.monitoring.drift.distance import population_stability_index
from hindsight.monitoring.drift.feature_verdict import DriftKind


def test_a_year_without_drift_gives_no_alarm_and_the_plain_rule_many() -> None:
    found = false_alarms(4, 1, TRAFFIC[:2])
    assert all(row["model"] == row["any_feature"] == 0 for row in found.values())
    assert all(row["suspect_model_checks"] < 0.001 for row in found.values())
    assert all(row["plain_rule_any_feature"] == 1 for row in found.values())
    assert {row["years"] for row in found.values()} == {3, 2}


def test_simulation_agrees_with_check_drift() -> None:
    for traffic in TRAFFIC[:2]:
        assert differences_from_check_drift(traffic, 2, range(0, HOURS, 2_000)) == 0


def test_windows_are_the_last_seven_days_and_the_newest_rows_their_end() -> None:
    year = Year.simulate(10, 2_000, 3)
    assert year.windows["flag_0"].shape == (HOURS, 3)
    rows = year.windows["flag_0"].sum(axis=1)
    assert rows.mean() / WINDOW_HOURS == pytest.approx(10, abs=0.2)
    newest, week_before = (of["flag_0"].sum(axis=1) for of in (year.recent, year.week_before))
    assert np.minimum(newest, week_before).min() >= 500
    assert np.minimum(newest, week_before).max() < 560
    assert (2 * newest <= rows).all()


def test_drift_put_into_a_year_is_an_alarm() -> None:
    year = Year.simulate(10, 2_000, 4)
    for column in year.columns[4:12]:
        year.looks[column.name] = year._look(column, np.roll(year.windows[column.name], 8, axis=1))
    assert judge(year).trigger


def test_large_and_significant_is_drift_and_one_of_both_suspect() -> None:
    rejected = np.full(5, 0.01)
    looks = Looks(
        sizes={DriftKind.DISTRIBUTION: np.array([1.5, 0.5, 1.5, 0.5, 0.0])},
        p_values={DriftKind.DISTRIBUTION: np.array([1.0, 0.0, 0.0, 1.0, 0.0])},
        kinds=1,
    )
    assert looks.drifts(rejected).tolist() == [False, False, True, False, False]
    assert looks.is_suspect(rejected).tolist() == [True, True, False, False, False]
    assert looks.is_large.tolist() == [True, False, True, False, False]


def test_one_feature_that_moves_is_suspect_and_no_alarm() -> None:
    year = Year.simulate(10, 2_000, 4)
    column = year.columns[4]
    year.looks[column.name] = year._look(column, np.roll(year.windows[column.name], 8, axis=1))
    found = judge(year)
    assert not found.trigger
    assert found.suspect_checks == found.checks


def test_days_and_weeks_that_repeat_are_no_drift_though_every_hour_is_far_from_the_training() -> None:
    for row in seasonal_alarms(1, (100, 500), checked_hours=24, every=4).values():
        assert row["model"] == row["any_feature"] == row["suspect_model"] == 0
        assert row["looked_apart"] == row["far_from_training"] == 1


def test_a_shift_of_one_standard_deviation_is_seen_within_a_thousand_rows() -> None:
    for window_rows in (0, 1_000, 20_000):
        found = detection_rows(3, 1, window_rows=window_rows, age=timedelta(hours=HOURS))
        assert found["worst"] <= 600


def test_statistics_on_sketches_agree_with_scipy_within_the_stated_error() -> None:
    for found in agreement(1, repeats=1).values():
        assert found["share_within_stated"] == 1


def test_stated_error_of_a_psi_bounds_the_effect_of_moved_shares() -> None:
    dice = np.random.default_rng(1)
    for _ in range(200):
        expected, actual = dice.dirichlet(np.ones(6), size=2)
        moved = [np.clip(shares + dice.uniform(-0.02, 0.02, 6), 0, 1) for shares in (expected, actual)]
        off = abs(population_stability_index(*moved) - population_stability_index(expected, actual))
        assert off <= stated_psi_error(expected, actual, 0.02, 0.02) + 1e-12

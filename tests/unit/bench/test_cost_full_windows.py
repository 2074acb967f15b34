"""Full windows add as much to the months that are not played as to those that are."""

from typing import Any

import pytest

from bench.cost.full_windows import CHECKS, with_full_windows
from bench.cost.play import Play
from bench.cost.scenarios import SCENARIOS

QUIET, THOUSAND, SINGLE, BATCHED = SCENARIOS


def taken(s3_gets: float, runs_an_hour: float = 1.0) -> dict[str, Any]:
    nothing = dict.fromkeys(("s3_puts", "read_units", "lambda_gb_seconds"), 0.0)
    return {check: {"runs_an_hour": runs_an_hour, "s3_gets": s3_gets, **nothing} for check in CHECKS}


def found_of(name: str, **phases: Any) -> dict[str, Any]:
    return {"scenario": name, "dollars": 0.0, "quantities": {"s3_gets": 100.0}, "checks": phases}


@pytest.fixture
def found() -> dict[str, dict[str, Any]]:
    return {
        QUIET.name: found_of(QUIET.name, steady=taken(0), aged=taken(0)),
        THOUSAND.name: found_of(THOUSAND.name, steady=taken(10), aged=taken(150)),
        SINGLE.name: found_of(SINGLE.name, steady=taken(20, runs_an_hour=2.0)),
        BATCHED.name: found_of(BATCHED.name, steady=taken(20, runs_an_hour=0.0)),
    }


def test_each_run_of_a_month_reads_as_many_more_objects(found: dict[str, dict[str, Any]]) -> None:
    filled = with_full_windows(found)
    assert filled[SINGLE.name]["quantities"]["s3_gets"] == 100 + len(CHECKS) * 140 * 2 * 720
    assert filled[SINGLE.name]["dollars"] > 0
    assert filled[BATCHED.name]["quantities"]["s3_gets"] == 100


def test_days_played_at_their_age_stay_unchanged(found: dict[str, dict[str, Any]]) -> None:
    filled = with_full_windows(found)
    assert filled[THOUSAND.name] == found[THOUSAND.name]
    assert filled[QUIET.name] == found[QUIET.name]


def test_the_hours_of_both_ages_stand_for_the_whole_three_months() -> None:
    for scenario in SCENARIOS:
        shares = Play(account=None, scenario=scenario).counted  # type: ignore[arg-type]
        assert sum(shares.values()) == pytest.approx(1.0)
        assert ("aged" in shares) is bool(scenario.days)

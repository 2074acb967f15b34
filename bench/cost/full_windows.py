"""The additional reads of checks whose window is full: played where months are, and taken from there elsewhere.

A window has as many objects at any traffic: a profile an hour, and packs a day. So the checks of a model of
a million predictions read as many more objects as those of the one whose months were played. Lists are not taken over:
there they are more than they would be, since the week before the window is seeded thinly.
"""

from collections.abc import Mapping
from typing import Any

from bench.cost.bill import MONTH_HOURS, figures
from bench.cost.play import Play
from bench.cost.scenarios import SCENARIOS

CHECKS = ("Monitor", "EvaluateRollouts", "CheckTriggers")
_TAKEN = ("s3_gets", "s3_puts", "read_units", "lambda_gb_seconds")
_BORROWED = ("s3_gets", "read_units", "lambda_gb_seconds")

Means = dict[str, dict[str, dict[str, float]]]


def means(play: Play, hours: int) -> Means:
    """Compute what a run of each check took on average, by phase, and how many runs an hour has."""
    found: Means = {}
    for phase in play.counted:
        for check in CHECKS:
            runs = [one for one in play.account.meter.invocations if one.phase == phase and one.kind == check]
            taken = {name: sum(one.bill.get(name, 0.0) for one in runs) / max(1, len(runs)) for name in _TAKEN}
            found.setdefault(phase, {})[check] = {"runs_an_hour": len(runs) / hours, **taken}
    return found


def with_full_windows(found: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Add to scenarios whose months were not played what full windows added where they were."""
    (played,) = [found[one.name] for one in SCENARIOS if one.days and one.a_day]
    return {
        one.name: dict(found[one.name]) if one.days else _filled(found[one.name], played["checks"]) for one in SCENARIOS
    }


def _filled(own: Mapping[str, Any], played: Means) -> dict[str, Any]:
    quantities = dict(own["quantities"])
    for check in CHECKS:
        runs = own["checks"]["steady"][check]["runs_an_hour"] * MONTH_HOURS
        for name in _BORROWED:
            more = max(0.0, played["aged"][check][name] - played["steady"][check][name])
            quantities[name] = quantities.get(name, 0.0) + more * runs
    return {**own, **figures(str(own["scenario"]), quantities)}

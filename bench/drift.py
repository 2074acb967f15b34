"""The error rates of drift monitoring: ``python -m bench.drift``.

How often it alarms in a year in which nothing drifts, and what the plain rule, every feature at p < 0.01 in every
check, would do with the same rows; after how many rows it sees one feature of twenty shift by a standard deviation; and
how far its statistics, on sketches, are from scipy's on the raw rows. Also how often it alarms where hours and weekdays
differ, as they do every week.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from scipy import stats

from bench.drift_agreement import agreement
from bench.drift_seasons import seasonal_alarms
from bench.drift_stream import HOURS, PROMOTED, SCORE, Looks, Year
from hindsight.config.features import FeatureType
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import parse_configuration
from hindsight.evaluation.sequential.alpha_spending import level_of
from hindsight.monitoring.drift.feature_verdict import FeatureDrift
from hindsight.monitoring.drift.input_drift import check_drift
from hindsight.monitoring.drift.recent_window import RecentRows, select_recent_rows
from hindsight.monitoring.results.check import Verdict
from hindsight.profiles.column import ColumnProfile
from hindsight.profiles.profile import Profile
from hindsight.profiles.reading import profile_numbers, profile_texts

PLAIN_ALPHA = 0.01
OLDER_ROWS = (0, 20_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The rows of a simulated model, served and trained on."""

    name: str
    rows_an_hour: float
    reference_rows: int
    share_of_years: float


TRAFFIC = (
    Traffic(name="barely min_rows in a window", rows_an_hour=3.1, reference_rows=2_000, share_of_years=0.75),
    Traffic(name="1,700 rows in a window", rows_an_hour=10, reference_rows=2_000, share_of_years=0.2),
    Traffic(name="10,000 rows in a window", rows_an_hour=60, reference_rows=20_000, share_of_years=0.05),
)


@dataclass(frozen=True, slots=True)
class YearOutcome:
    """The false alarms in a year of checks without drift."""

    trigger: bool
    feature: bool
    significant: bool
    suspect_checks: int
    suspect_feature_checks: int
    plain_trigger: bool
    plain_feature: bool
    checks: int


def judge(year: Year) -> YearOutcome:
    """Run a year's checks, by the product's rule and by the plain one."""
    p_values, enough = year.p_values, year.enough
    rejected = year.rejected(p_values)
    share = year.configuration.monitoring.drift.share
    drifting = year.drifting(rejected)
    suspect = year.suspect(rejected)
    is_suspect = year.has_large | ((drifting | suspect).mean(axis=1) >= share)
    looks = [looks.p_value for name, looks in year.looks.items() if name != SCORE]
    plain = (np.column_stack(looks) < PLAIN_ALPHA) & enough[:, np.newaxis]
    return YearOutcome(
        trigger=bool((drifting.mean(axis=1) >= share).any()),
        feature=bool(drifting.any()),
        suspect_checks=int((is_suspect & (drifting.mean(axis=1) < share)).sum()),
        suspect_feature_checks=int(suspect.any(axis=1).sum()),
        significant=bool(((p_values.min(axis=1) <= rejected) & enough).any()),
        plain_trigger=bool((plain.mean(axis=1) >= share).any()),
        plain_feature=bool(plain.any()),
        checks=int(enough.sum()),
    )


def false_alarms(years: int, first_seed: int, traffic: Sequence[Traffic] = TRAFFIC) -> dict[str, Any]:
    """Measure the share of simulated years with a false alarm of any kind, by traffic, each with its upper bound.

    Of suspect models and features, which ring no alarm, the share of the checks.
    """
    found = {}
    for kind in traffic:
        count = max(2, round(years * kind.share_of_years))
        outcomes = [
            judge(Year.simulate(kind.rows_an_hour, kind.reference_rows, seed))
            for seed in range(first_seed, first_seed + count)
        ]
        triggers, checks = (sum(getattr(outcome, part) for outcome in outcomes) for part in ("trigger", "checks"))
        found[kind.name] = {
            "years": count,
            "checks_a_year": round(checks / count),
            "model": triggers / count,
            "model_upper_95": _upper_bound(triggers, count),
            "any_feature": sum(outcome.feature for outcome in outcomes) / count,
            "suspect_model_checks": sum(outcome.suspect_checks for outcome in outcomes) / checks,
            "suspect_feature_checks": sum(outcome.suspect_feature_checks for outcome in outcomes) / checks,
            "suspect_model_years": sum(outcome.suspect_checks > 0 for outcome in outcomes) / count,
            "any_significance": sum(outcome.significant for outcome in outcomes) / count,
            "plain_rule_model": sum(outcome.plain_trigger for outcome in outcomes) / count,
            "plain_rule_any_feature": sum(outcome.plain_feature for outcome in outcomes) / count,
        }
    return found


def differences_from_check_drift(traffic: Traffic, seed: int, hours: Sequence[int]) -> int:
    """Count the verdicts, sizes and p-values of a simulated year that differ from those of `check_drift`."""
    year = Year.simulate(traffic.rows_an_hour, traffic.reference_rows, seed)
    rejected = year.rejected(year.p_values)
    drifting, suspect, different = year.drifting(rejected), year.suspect(rejected), 0
    for hour in hours:
        reference, window, recent = year.profiles(hour)
        report = check_drift(
            reference, window, window, year.configuration, level=float(year.levels[hour]), recent=recent
        )
        for place, (name, feature) in enumerate(report.features.items()):
            different += bool(drifting[hour, place]) is not (feature.verdict is Verdict.DRIFT)
            different += bool(suspect[hour, place]) is not (feature.verdict is Verdict.SUSPECT)
            different += year.enough[hour] and _differs(feature, year.looks[name], hour)
    return different


def _differs(feature: FeatureDrift, looks: Looks, hour: int) -> bool:
    same = [
        np.isclose(feature.kinds[kind].size / feature.kinds[kind].limit, size[hour])
        and np.isclose(feature.kinds[kind].p_value, looks.p_values[kind][hour], rtol=1e-6, atol=0)
        for kind, size in looks.sizes.items()
    ]
    return not all(same)


def detection_rows(runs: int, first_seed: int, *, window_rows: int, age: timedelta) -> dict[str, Any]:
    """Measure after how many shifted rows the shifted feature's verdict is drift, over runs.

    The window has ``window_rows`` rows, the oldest of which leave as new ones come; 0 for one that begins with the
    shift. A check looks at every fiftieth row.
    """
    found = [_rows_until_seen(seed, window_rows, age) for seed in range(first_seed, first_seed + runs)]
    return {"median": median(found), "worst": max(found), "runs": runs}


def _rows_until_seen(seed: int, window_rows: int, age: timedelta, step: int = 50, most: int = 3_000) -> int:
    dice, configuration = np.random.default_rng(seed), _detection_configuration()
    level = level_of(configuration.monitoring.drift.alpha, PROMOTED, PROMOTED + age)
    reference = _profile(dice, configuration, 10_000)
    others = _profile(dice, configuration, window_rows or 1_000)
    week_before = _with_first(others, dice.normal(size=500)) if window_rows else Profile.empty()
    values = np.concatenate([dice.normal(size=window_rows), dice.normal(1.0, size=most)])
    for rows in range(max(step, configuration.monitoring.min_rows - window_rows), most + 1, step):
        seen = values[: window_rows + rows]
        window, recent = (_with_first(others, seen[-size:]) for size in (window_rows or rows, 500))
        report = check_drift(
            reference,
            window,
            window,
            configuration,
            level=level,
            recent=select_recent_rows(
                [RecentRows(rows=recent, week_before=week_before)], configuration.monitoring.min_rows, window.rows
            ),
        )
        if report.features["number_0"].verdict is Verdict.DRIFT:
            return rows
    return most + step


def _with_first(others: Profile, values: npt.NDArray[np.float64]) -> Profile:
    """Build a profile with other values of the first feature."""
    column = profile_numbers(values)
    return Profile(rows=column.rows, features={**others.features, "number_0": column}, score=others.score)


def _detection_configuration() -> ModelConfiguration:
    kinds = {f"number_{index}": "numeric" for index in range(14)}
    kinds |= {f"category_{index}": "categorical" for index in range(4)} | {"flag_0": "boolean", "flag_1": "boolean"}
    return parse_configuration(
        {
            "model": "simulated",
            "task": "regression",
            "features": {name: {"type": kind} for name, kind in kinds.items()},
            "labels": {"rules": [{"event": "outcome", "kind": "outcome", "window": "P1D"}]},
        }
    )


def _profile(dice: np.random.Generator, configuration: ModelConfiguration, rows: int) -> Profile:
    def column(kind: FeatureType) -> ColumnProfile:
        if kind is FeatureType.NUMERIC:
            return profile_numbers(dice.normal(size=rows))
        if kind is FeatureType.BOOLEAN:
            return profile_texts((dice.random(rows) < 0.3).tolist(), kind)
        return profile_texts(dice.choice(list("abcdefgh"), size=rows).tolist(), kind)

    features = {name: column(feature.type) for name, feature in configuration.features.items()}
    return Profile(rows=rows, features=features, score=profile_numbers(dice.random(rows), k=1_000))


def measure(years: int = 200, runs: int = 200, first_seed: int = 1) -> dict[str, Any]:
    """Measure the false-alarm rate, the rows until a shift is found, and the agreement with scipy.

    ``drift_false_alarm_rate`` is the share of years without drift in which the model's verdict was ever drift, at the
    traffic where chance has most room; ``drift_detection_rows`` the median over runs for a window that begins with the
    shift, ``drift_detection_rows_worst`` the worst of all runs, also of those whose window has older rows. The champion
    has served for a year by then, so that its checks have the least left to spend. ``seasonal_false_alarm_rate`` is the
    share of checks, of a process that repeats itself weekly, in which the model or a feature was said to drift. The
    rates of ``suspect`` are the shares of checks in which the model was.
    """
    seasonal = seasonal_alarms(first_seed)
    alarms = false_alarms(years, first_seed)
    detection = {
        f"window of {rows:,} older rows" if rows else "window begins with the shift": detection_rows(
            runs, first_seed, window_rows=rows, age=timedelta(hours=HOURS)
        )
        for rows in OLDER_ROWS
    }
    new_rows_only = detection["window begins with the shift"]
    differences = sum(
        int(differences_from_check_drift(traffic, first_seed, range(200, HOURS, 800))) for traffic in TRAFFIC
    )
    return {
        "drift_false_alarm_rate": max(found["model"] for found in alarms.values()),
        "seasonal_false_alarm_rate": max(found["any_feature"] for found in seasonal.values()),
        "drift_suspect_rate": max(found["suspect_model_checks"] for found in alarms.values()),
        "seasonal_suspect_rate": max(found["suspect_model"] for found in seasonal.values()),
        "drift_detection_rows": new_rows_only["median"],
        "drift_detection_rows_worst": max(found["worst"] for found in detection.values()),
        "false_alarms": alarms,
        "seasonal": seasonal,
        "detection": detection,
        "agreement": agreement(first_seed),
        "differences_from_check_drift": differences,
        "years": years,
        "hours_a_year": HOURS,
        "runs": runs,
        "first_seed": first_seed,
    }


def _upper_bound(events: int, trials: int) -> float:
    """Compute the upper end of Clopper and Pearson's one-sided 95 % interval."""
    return 1.0 if events == trials else float(stats.beta.ppf(0.95, events + 1, trials - events))


def main() -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(description="False alarms, detection and exactness of drift checks.")
    parser.add_argument("--years", type=int, default=200)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=1)
    arguments = parser.parse_args()
    found = measure(arguments.years, arguments.runs, arguments.first_seed)
    console = Console(width=140)
    console.print(_table("Years without drift in which something is said, hourly checks", found["false_alarms"]))
    console.print(_table("Checks in which something is said of days and weeks that repeat", found["seasonal"]))
    console.print(_table("Rows until a shift of one standard deviation is seen", found["detection"]))
    console.print(_table("Largest difference from scipy on raw rows", found["agreement"]))
    console.print(f"differences between simulation and check_drift: {found['differences_from_check_drift']}")


def _table(title: str, rows: dict[str, dict[str, Any]]) -> Table:
    table = Table(title=title)
    headings = list(next(iter(rows.values())))
    for heading in ("", *headings):
        table.add_column(heading.replace("_", " "), justify="right" if heading else "left")
    for name, row in rows.items():
        table.add_row(name, *(f"{row[heading]:.4g}" for heading in headings))
    return table


if __name__ == "__main__":
    main()

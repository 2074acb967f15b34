"""False alarms of drift checks on traffic with days and weeks in it and no drift.

Every hour has its own mix: of the hour and the weekday themselves, of a temperature and a load that follow them, and of
missing values, of which there are more at night. Nights and weekends are quiet. The training covers three whole weeks.
"""

from datetime import timedelta
from typing import Any

import numpy as np

from bench.drift_stream import PROMOTED
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import parse_configuration
from hindsight.evaluation.sequential.alpha_spending import level_of
from hindsight.monitoring.drift.input_drift import check_drift
from hindsight.monitoring.drift.recent_window import RecentRows, select_recent_rows
from hindsight.monitoring.results.check import Verdict
from hindsight.profiles.build import Columns, profile_columns
from hindsight.profiles.profile import Profile

WEEK_HOURS = 168
CHECKED_HOURS = 2 * WEEK_HOURS
ROWS_AN_HOUR = (20, 100, 1_000)
_FIRST = 2 * WEEK_HOURS  # a window, and a week before it


def seasonal_alarms(
    seed: int, rows_an_hour: tuple[int, ...] = ROWS_AN_HOUR, *, checked_hours: int = CHECKED_HOURS, every: int = 3
) -> dict[str, Any]:
    """Measure the share of checks in which the model, or any feature, was found to drift or suspect, by traffic.

    ``looked_apart`` is the share in which the newest rows were looked at by themselves, ``far_from_training`` the share
    of those in which they drift by the training alone.
    """
    return {f"{rows} rows an hour": _alarms(seed, rows, checked_hours, every) for rows in rows_an_hour}


def _alarms(seed: int, rows_an_hour: int, checked_hours: int, every: int) -> dict[str, float]:
    dice, configuration = np.random.default_rng(seed), _configuration()
    reference = Profile.merged([_hour(dice, hour, 30, configuration) for hour in range(3 * WEEK_HOURS)])
    hours = [_hour(dice, hour, rows_an_hour, configuration) for hour in range(_FIRST + checked_hours)]
    said, ends = [], range(_FIRST, len(hours), every)
    for end in ends:
        window = Profile.merged(hours[end - WEEK_HOURS : end])
        back = (
            RecentRows(rows=hours[hour], week_before=hours[hour - WEEK_HOURS])
            for hour in range(end - 1, end - WEEK_HOURS - 1, -1)
        )
        recent = select_recent_rows(back, configuration.monitoring.min_rows, window.rows)
        level = level_of(configuration.monitoring.drift.alpha, PROMOTED, PROMOTED + timedelta(hours=end - _FIRST + 1))
        report = check_drift(reference, window, window, configuration, level=level, recent=recent)
        alone = recent and check_drift(reference, recent.rows, recent.rows, configuration, level=level)
        said.append(
            (
                report.verdict is Verdict.DRIFT,
                bool(report.drifting),
                report.verdict is Verdict.SUSPECT,
                bool(report.of_verdict(Verdict.SUSPECT)),
                bool(recent),
                bool(alone and alone.drifting),
            )
        )
    model, feature, suspect, suspect_feature, apart, far = np.mean(said, axis=0).tolist()
    return {
        "checks": len(said),
        "model": model,
        "any_feature": feature,
        "suspect_model": suspect,
        "suspect_feature": suspect_feature,
        "looked_apart": apart,
        "far_from_training": far,
    }


def _configuration() -> ModelConfiguration:
    kinds = {"hour": "categorical", "weekday": "categorical", "temperature": "numeric", "load": "numeric"}
    kinds |= {"queue": "numeric", "express": "boolean", "steady": "numeric"}
    return parse_configuration(
        {
            "model": "seasonal",
            "task": "regression",
            "features": {name: {"type": kind} for name, kind in kinds.items()},
            "labels": {"rules": [{"event": "outcome", "kind": "outcome", "window": "P1D"}]},
        }
    )


def _hour(dice: np.random.Generator, hour: int, mean_rows: int, configuration: ModelConfiguration) -> Profile:
    day, weekday = np.sin((hour % 24 - 9) / 24 * 2 * np.pi), hour // 24 % 7
    busy = (1 + 0.7 * day) * (0.5 if weekday >= 5 else 1.2)
    rows = int(dice.poisson(mean_rows * busy))
    load = dice.normal(busy, 0.3, rows)
    columns = {
        "hour": np.full(rows, str(hour % 24), dtype=object),
        "weekday": np.full(rows, str(weekday), dtype=object),
        "temperature": dice.normal(15 + 6 * day, 2, rows),
        "load": load,
        "queue": np.where(dice.random(rows) < 0.05 - 0.04 * day, np.nan, dice.exponential(busy, rows)),
        "express": dice.random(rows) < 0.3 + 0.2 * day,
        "steady": dice.normal(size=rows),
    }
    identities = [f"{hour}-{number}" for number in range(rows)]
    predictions = Columns(prediction_ids=identities, features=columns, scores=load, decisions=load)
    return profile_columns(predictions, configuration.features, configuration.task)

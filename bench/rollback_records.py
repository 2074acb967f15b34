"""Simulated label records of champions, canaries and shadows."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from hindsight.core.times import format_time
from hindsight.entities.label_row import LabelFields
from hindsight.label_records.rows import LabelRows

OLD_ACCURACY, NEW_ACCURACY = 0.80, 0.85
PATIENCE = 1_000  # labels of a champion on probation
SHARE = 0.1
SHARED_ERRORS = 0.7  # of the champion's errors are the shadow's too
START = datetime(2026, 3, 1, tzinfo=UTC)
OLD, NEW = "v1", "v2"
Flags = npt.NDArray[np.bool_]


def label_records(version: str, right: Flags, **known: Any) -> list[LabelFields]:
    """Build the label records of a version by whether each of its decisions is right."""
    return [_row(version, place, bool(hit), **known) for place, hit in enumerate(right)]


def _row(version: str, place: int, right: bool, **known: Any) -> LabelFields:
    value, moment = place % 2, format_time(START + (place + 1) * timedelta(minutes=1))
    decision = value if right else 1 - value
    fields = {
        "prediction_id": f"{version}-{place}",
        "model_version": version,
        "occurred_at": moment,
        "outcome_due_at": moment,
        "known_at": moment,
        "first_valued_at": moment,
        "value": value,
        "kind": "outcome",
        "decision": decision,
        "score": 0.2 + 0.6 * decision,
        **known,
    }
    return cast(LabelFields, fields)


def canary_records(rng: np.random.Generator, accuracy: float, labels: int) -> LabelRows:
    """Simulate traffic of which a share is the canary's, by chance: so many ``labels``, about."""
    rows = round(labels / SHARE)
    ours = rng.random(rows) < SHARE
    right = rng.random(rows) < np.where(ours, accuracy, OLD_ACCURACY)
    return _picked(_canary_rows(rows), ours, right)


def shadow_records(rng: np.random.Generator, worse_by: float, labels: int) -> LabelRows:
    """Simulate the champion's traffic with a shadow's predictions, whose errors are mostly the champion's."""
    right = rng.random(labels) < OLD_ACCURACY
    also_wrong = SHARED_ERRORS
    wrong_alone = (1 - (OLD_ACCURACY - worse_by) - also_wrong * (1 - OLD_ACCURACY)) / OLD_ACCURACY
    wrong = rng.random(labels) < np.where(right, wrong_alone, also_wrong)
    return _picked(_shadow_rows(labels), wrong, right)


def _picked(pool: LabelRows, first: Flags, second: Flags) -> LabelRows:
    """Pick at each place the record of two flags; encoding records anew would take most of a simulation's time."""
    return pool.at(4 * np.arange(len(first)) + 2 * first + second)


@cache
def _canary_rows(rows: int) -> LabelRows:
    """Build the four records that each place may have: of the champion or the canary, wrong or right."""
    versions = ((OLD, False), (OLD, True), (NEW, False), (NEW, True))
    return LabelRows.of([_row(version, place, right) for place in range(rows) for version, right in versions])


@cache
def _shadow_rows(rows: int) -> LabelRows:
    """Build the four records that each place may have: the shadow right or wrong, the champion wrong or right."""
    return LabelRows.of(
        [
            _row(OLD, place, right, shadow=_shadow(1 - place % 2 if misses else place % 2))
            for place in range(rows)
            for misses, right in ((False, False), (False, True), (True, False), (True, True))
        ]
    )


def _shadow(decision: int) -> dict[str, Any]:
    return {"version": NEW, "score": 0.2 + 0.6 * decision, "decision": decision}

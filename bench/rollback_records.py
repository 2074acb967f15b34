"""Simulated label records of champions, canaries and shadows."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from hindsight.core.times import format_time
from hindsight.entities.label_row import LabelFields

OLD_ACCURACY, NEW_ACCURACY = 0.80, 0.85
PATIENCE = 1_000  # labels of the version evaluated
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


def canary_records(rng: np.random.Generator, accuracy: float) -> list[LabelFields]:
    """Simulate traffic of which a share is the canary's, by chance."""
    rows = round(PATIENCE / SHARE)
    ours = rng.random(rows) < SHARE
    right = rng.random(rows) < np.where(ours, accuracy, OLD_ACCURACY)
    return [
        _row(NEW if is_ours else OLD, place, bool(hit))
        for place, (is_ours, hit) in enumerate(zip(ours, right, strict=True))
    ]


def shadow_records(rng: np.random.Generator, worse_by: float) -> list[LabelFields]:
    """Simulate the champion's traffic with a shadow's predictions, whose errors are mostly the champion's."""
    right = rng.random(PATIENCE) < OLD_ACCURACY
    also_wrong = SHARED_ERRORS
    wrong_alone = (1 - (OLD_ACCURACY - worse_by) - also_wrong * (1 - OLD_ACCURACY)) / OLD_ACCURACY
    wrong = rng.random(PATIENCE) < np.where(right, wrong_alone, also_wrong)
    rows = []
    for place, (hit, miss) in enumerate(zip(right, wrong, strict=True)):
        decision = 1 - place % 2 if miss else place % 2
        shadow = {"version": NEW, "score": 0.2 + 0.6 * decision, "decision": decision}
        rows.append(_row(OLD, place, bool(hit), shadow=shadow))
    return rows

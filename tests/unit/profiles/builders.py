"""Rows of predictions for profiles, and the features they declare."""

from typing import Any

import numpy as np

from hindsight.config.features import Feature, FeatureType
from hindsight.profiles.profile import Profile

FEATURES = {
    "temperature": Feature(type=FeatureType.NUMERIC, min=-20.0, max=40.0),
    "channel": Feature(type=FeatureType.CATEGORICAL),
    "holiday": Feature(type=FeatureType.BOOLEAN),
}


def row(number: int, **other: Any) -> dict[str, Any]:
    rng = np.random.default_rng(number)
    score = float(rng.uniform())
    return {
        "prediction_id": f"p-{number:06d}",
        "features": {
            "temperature": float(rng.normal(10, 5)),
            "channel": str(rng.choice(["web", "app", "shop"])),
            "holiday": bool(rng.uniform() < 0.1),
        },
        "score": score,
        "decision": int(score >= 0.5),
        "model_version": "v1",
        "occurred_at": f"2026-03-01T{number % 24:02d}:00:00.000000Z",
        "outcome_due_at": f"2026-03-03T{number % 24:02d}:30:00.000000Z",
        **other,
    }


def rows(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [row(number) for number in range(start, start + count)]


def exact_parts(profile: Profile) -> dict[str, Any]:
    """Collect the exact parts of a profile of few rows, to be compared."""
    columns = {**profile.features, "score": profile.score, "decision": profile.decision}
    return {
        "rows": profile.rows,
        "columns": {
            name: (
                column.kind,
                (column.rows, column.missing, column.invalid, column.below, column.above),
                dict(column.counts),
                column.distribution.values.tolist(),
                column.distribution.weights.tolist(),
            )
            for name, column in columns.items()
            if column is not None
        },
        "scores": {name: found.distribution().values.tolist() for name, found in profile.score_by_decision.items()},
        "due": dict(profile.due),
        "sample": profile.sample,
    }

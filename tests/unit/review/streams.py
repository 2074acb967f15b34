"""Streams of predictions for the tests of selection; times are hours from midnight of one day."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import parse_configuration
from hindsight.entities.prediction import Prediction

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
MODEL = "bike"


def configuration(task: str = "binary", **review: Any) -> ModelConfiguration:
    return parse_configuration(
        {
            "model": MODEL,
            "task": task,
            "features": {
                "temperature": {"type": "numeric", "min": 0, "max": 1},
                "amount": {"type": "numeric"},
                "hour": {"type": "categorical"},
                "holiday": {"type": "boolean"},
            },
            "labels": {"rules": [{"event": "annotation", "kind": "manual"}]},
            "review": {"uncertain_per_day": 20, **review},
        }
    )


def prediction(name: str, hours: float = 12, *, model: str = MODEL, **changes: Any) -> Prediction:
    """A prediction whose features and score its name decides."""
    dice = random.Random(name)
    moment = MIDNIGHT + timedelta(hours=hours)
    fields: dict[str, Any] = {
        "model": model,
        "prediction_id": name,
        "features": {
            "temperature": dice.random(),
            "amount": dice.gauss(100, 20),
            "hour": str(dice.randrange(24)),
            "holiday": dice.random() < 0.1,
        },
        "score": dice.random(),
        "decision": 1,
        "model_version": "v1",
        "occurred_at": moment,
        "received_at": moment,
        "outcome_due_at": moment,
        "body_digest": "",
    }
    return Prediction(**{**fields, **changes})


def predictions(count: int, hours: float = 12, prefix: str = "p") -> list[Prediction]:
    return [prediction(f"{prefix}-{number}", hours) for number in range(count)]

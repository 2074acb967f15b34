"""Predictions, events and rules for the tests of labels; times are hours from one noon."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hindsight.config.labels import Labels
from hindsight.config.metrics import Task
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import parse_configuration
from hindsight.config.store import ConfigurationRevision
from hindsight.entities.feedback import Feedback, FeedbackValue
from hindsight.entities.prediction import Prediction, PredictionKey
from hindsight.labels.rules import Rules, ready_rules

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MODEL = "bike-demand"
RETENTION = timedelta(days=400)
NOTHING_JOINED = {
    "awaiting": 0,
    "awaiting_capped": False,
    "next_due_at": None,
    "overdue": 0,
    "overdue_capped": False,
    "feedback": None,
    "window": None,
}
"""The ``join_health`` of a model without a prediction."""


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def key(prediction_id: str = "p-1", model: str = MODEL) -> PredictionKey:
    return PredictionKey(model, prediction_id)


def event(
    name: str,
    value: FeedbackValue = None,
    *,
    hours: float = 1,
    received: float | None = None,
    feedback_id: str | None = None,
    prediction_id: str = "p-1",
    model: str = MODEL,
    digest: str | None = None,
) -> Feedback:
    return Feedback(
        model=model,
        prediction_id=prediction_id,
        feedback_id=feedback_id or f"{name}-{hours}-{value}",
        name=name,
        value=value,
        occurred_at=at(hours),
        received_at=at(hours if received is None else received),
        source=None,
        body_digest=digest or f"{name}|{value}|{hours}",
    )


def prediction(prediction_id: str = "p-1", hours: float = 0, *, model: str = MODEL, **changes: Any) -> Prediction:
    fields: dict[str, Any] = {
        "model": model,
        "prediction_id": prediction_id,
        "features": {"hour": "17", "temperature": 0.3},
        "score": 0.7,
        "decision": 1,
        "model_version": "v1",
        "occurred_at": at(hours),
        "received_at": at(hours),
        "outcome_due_at": at(hours + 48),
        "body_digest": "d",
    }
    return Prediction(**{**fields, **changes})


def configuration(
    *rules: dict[str, Any], task: str = "binary", default: dict[str, Any] | None = None, model: str = MODEL
) -> ModelConfiguration:
    return parse_configuration(
        {
            "model": model,
            "task": task,
            "features": {"hour": {"type": "categorical"}, "temperature": {"type": "numeric"}},
            "labels": {"rules": list(rules) or [DEMAND], "default": default},
        }
    )


def labels(*rules: dict[str, Any], task: str = "binary", default: dict[str, Any] | None = None) -> Labels:
    return configuration(*rules, task=task, default=default).labels


def ready(*rules: dict[str, Any], task: str = "binary", default: dict[str, Any] | None = None) -> Rules:
    return ready_rules(labels(*rules, task=task, default=default), Task(task))


def revision(
    *rules: dict[str, Any], task: str = "binary", default: dict[str, Any] | None = None
) -> ConfigurationRevision:
    return ConfigurationRevision(1, configuration(*rules, task=task, default=default))


ANNOTATION = {"event": "annotation", "kind": "manual"}
DEMAND = {"event": "demand", "kind": "outcome", "window": "P2D", "positive": {"greater_than": 100}}
THUMB = {"event": "thumb", "kind": "explicit", "window": "P7D", "map": {"up": 1, "down": 0}}
PURCHASE = {"event": "purchase", "kind": "action", "window": "P1D", "aggregate": "any", "value": 1}
EXPOSED_DEFAULT = {"value": 0, "after": "P7D", "requires_exposure": True}

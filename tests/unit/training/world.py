"""A small world to train in: a configuration, predictions whose labels follow a rule, and a lake that holds them."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from hindsight.config.parse import parse_configuration
from hindsight.config.store import ConfigurationRevision
from hindsight.entities.label import LabelStatus
from hindsight.entities.label_row import LabelRow
from hindsight.lake.object_store import LABELS, Lake, day_prefix
from hindsight.runs.run import RetrainingRun

MODEL = "demand"
START = datetime(2026, 3, 1, tzinfo=UTC)
DELAY = timedelta(days=1)
BINARY_RULE = {"event": "outcome", "kind": "outcome", "window": "P1D"}


def revision(task: str = "binary", number: int = 1, **sections: Any) -> ConfigurationRevision:
    document = {
        "model": MODEL,
        "task": task,
        "features": {
            "temperature": {"type": "numeric"},
            "hour": {"type": "categorical"},
            "holiday": {"type": "boolean"},
        },
        "labels": {"rules": [BINARY_RULE]},
        **sections,
    }
    return ConfigurationRevision(number, parse_configuration(document))


def run(as_of: datetime, decision_id: str = "decision-1", token: int = 1) -> RetrainingRun:
    return RetrainingRun(
        model=MODEL, decision_id=decision_id, fencing_token=token, as_of=as_of, reason="scheduled: 30 days passed"
    )


def example(position: int = 0, **changes: Any) -> LabelRow:
    occurred = changes.pop("occurred_at", START + timedelta(hours=position))
    due = changes.pop("outcome_due_at", occurred + DELAY)
    given = {
        "model": MODEL,
        "prediction_id": f"p{position:05d}",
        "features": {"temperature": 0.5, "hour": position % 24, "holiday": False},
        "score": 0.5,
        "decision": 1,
        "model_version": "v0",
        "occurred_at": occurred,
        "outcome_due_at": due,
        "seq": 1,
        "value": position % 2,
        "status": LabelStatus.FINAL,
        "kind": "outcome",
        "rules_revision": 1,
        "known_at": due,
    }
    return LabelRow(**(given | changes))


def learnable(
    count: int, task: str = "binary", seed: int = 0, noise: float = 0.3, flip: bool = False
) -> list[LabelRow]:
    """Hourly predictions whose label follows temperature and hour; ``flip`` turns the rule round."""
    rng = random.Random(seed)
    rows = []
    for position in range(count):
        hour, temperature = position % 24, rng.gauss(0, 1)
        signal = temperature + (1.0 if 8 <= hour <= 18 else -1.0) + rng.gauss(0, noise)
        signal = -signal if flip else signal
        value: Any = signal
        if task == "binary":
            value = int(signal > 0)
        elif task == "multiclass":
            value = "low" if signal < -0.7 else "high" if signal > 0.7 else "middle"
        features = {
            "temperature": None if rng.random() < 0.02 else temperature,
            "hour": hour,
            "holiday": rng.random() < 0.1,
        }
        rows.append(example(position, features=features, value=value))
    return rows


def store(lake: Lake, examples: Iterable[LabelRow]) -> None:
    """Write label rows as the archive does: by day of ``known_at``."""
    days: dict[str, list[dict[str, Any]]] = {}
    for row in examples:
        days.setdefault(day_prefix(LABELS, row.model, row.matured_at.date()), []).append(row.to_row())
    for prefix, rows in days.items():
        existing = len(list(lake.keys(prefix)))
        lake.write_lines(f"{prefix}{existing:05d}.jsonl.gz", rows)

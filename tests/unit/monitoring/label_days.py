"""A lake of label records over some days, each prediction with a provisional record and a final one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from hindsight.core.times import format_time
from hindsight.lake.object_store import LABELS, day_prefix
from hindsight.testing.aws.lake import InMemoryLake

MODEL = "bike-demand"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)

Row = dict[str, Any]


def records_of_day(day: int, count: int, *, right: float = 0.9, seed: int = 1, entities: int = 0) -> list[Row]:
    """Build the records of predictions that were due at a day's noon, right in a share of them."""
    rng = np.random.default_rng([seed, day])
    due = NOON + day * DAY
    rows = []
    for number in range(count):
        decision = int(rng.random() < 0.5)
        value = decision if rng.random() < right else 1 - decision
        row = {
            "model": MODEL,
            "prediction_id": f"{day}-{number}",
            "features": {"hour": str(number % 7), "word": f"word-{day}-{number}"},
            "score": 0.8 if decision else 0.2,
            "decision": decision,
            "probabilities": {"no": 0.2, "yes": 0.8},
            "model_version": "v1",
            "occurred_at": format_time(due - timedelta(hours=1)),
            "outcome_due_at": format_time(due),
            "kind": "outcome",
            "status": "final",
        }
        if entities:
            row["entity_id"] = f"customer-{rng.integers(entities)}"
        rows.append({**row, "seq": 1, "value": 1 - value, "known_at": format_time(due - timedelta(minutes=30))})
        rows.append({**row, "seq": 2, "value": value, "known_at": format_time(due)})
    return rows


def lake_of_days(days: int, predictions_a_day: int, **known: Any) -> InMemoryLake:
    """Write them, the provisional records of a day in other objects than the final ones."""
    lake = InMemoryLake()
    for day in range(days):
        rows, prefix = (
            records_of_day(day, predictions_a_day, **known),
            day_prefix(LABELS, MODEL, (NOON + day * DAY).date()),
        )
        lake.write_lines(f"{prefix}a.jsonl.gz", rows[::2])
        lake.write_lines(f"{prefix}b.jsonl.gz", rows[1::2])
    return lake

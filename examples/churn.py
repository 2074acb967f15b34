"""Send a made-up churn history to a stack: 1,200 predictions of the last 120 days, and the customers that left.

Needs ``$API`` and ``$APP_KEY`` (``eval "$(.venv/bin/hindsight env)"``) and the client beside it.
"""

import math
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from hindsight_client import Hindsight

PLANS = {"basic": 0.9, "plus": 0.0, "pro": -0.9}
COUNT, DAYS = 1200, 120


def customers(seed: int = 7) -> Iterator[tuple[dict[str, Any], float, bool]]:
    """Make up customers: their features, what an older model said of each, and whether they left."""
    rng = random.Random(seed)
    for _ in range(COUNT):
        plan, age = rng.choice(list(PLANS)), rng.randint(18, 80)
        risk = 1 / (1 + math.exp(1.2 - PLANS[plan] - (45 - age) / 15))
        yield {"plan": plan, "age": age}, round(rng.uniform(0.1, 0.5), 3), rng.random() < risk


def history(now: datetime) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Build the predictions, evenly over the days up to now, and the events of those who left, 5 to 25 days later."""
    rng, predictions, events = random.Random(8), list[dict[str, Any]](), list[dict[str, Any]]()
    for number, (features, score, left) in enumerate(customers()):
        made = now - timedelta(days=DAYS) * (1 - number / COUNT)
        name = f"{now:%Y%m%d}-{number}"
        predictions.append(
            {
                "prediction_id": name,
                "features": features,
                "score": score,
                "model_version": "mine-3",
                "occurred_at": made.isoformat(),
            }
        )
        if left and (known := made + timedelta(days=rng.uniform(5, 25))) < now:
            events.append(
                {
                    "feedback_id": f"{name}-left",
                    "prediction_id": name,
                    "name": "churn",
                    "value": 1,
                    "occurred_at": known.isoformat(),
                }
            )
    return predictions, events


if __name__ == "__main__":
    churn = Hindsight(os.environ.get("MODEL", "churn"))
    predictions, events = history(datetime.now(UTC).replace(microsecond=0))
    for what, receipt in (("predictions", churn.log(predictions)), ("feedback", churn.feedback(events))):
        print(f"{what}: {len(receipt['accepted'])} taken, {len(receipt['rejected'])} refused")

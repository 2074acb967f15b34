"""The world of the demo: deliveries by two depots, and customers who complain when one comes late."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 1, 1, tzinfo=UTC)
EVENT = "came_late"
CUSTOMERS = 4_000
PAUSE = timedelta(days=2)
"""The time between two orders of a customer: longer than the window, so that the truth of a complaint is plain."""
_DEPOTS = ("north", "south")


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery: its features at the moment of the order, whether it will come late, and when that would be record."""

    prediction_id: str
    customer: str
    features: dict[str, Any]
    occurred_at: datetime
    is_late: bool
    reported_at: datetime


def deliveries(days: int, drift_day: int, per_day: int, seed: int = 11) -> Iterator[Delivery]:
    """Make up deliveries in order of time; from the drift's day on the other depot's road is closed."""
    rng = random.Random(seed)  # noqa: S311  a made-up world  # nosec
    free_from = {f"customer-{number}": START for number in range(CUSTOMERS)}
    waiting = list(free_from)
    for number in range(days * per_day):
        at = START + timedelta(days=1) * number / per_day
        customer = waiting[rng.randrange(len(waiting))]
        while free_from[customer] > at:
            customer = waiting[rng.randrange(len(waiting))]
        free_from[customer] = at + PAUSE
        features = draw_features(rng)
        late = rng.random() < chance(features, has_drifted=at >= START + timedelta(days=drift_day))
        reported_at = at + timedelta(hours=rng.uniform(1, 20))
        yield Delivery(f"order-{number}", customer, features, at, late, reported_at)


def draw_features(rng: random.Random) -> dict[str, Any]:
    """Draw the features of an order."""
    return {
        "depot": rng.choice(_DEPOTS),
        "distance": round(rng.uniform(0, 20), 2),
        "items": rng.randint(1, 8),
        "rain": rng.random() < 0.3,
    }


def chance(features: dict[str, Any], *, has_drifted: bool) -> float:
    """Compute the chance that a delivery comes late: far from the depot, and from the one whose road is closed."""
    closed = "south" if has_drifted else "north"
    depot = 2.6 if features["depot"] == closed else -2.6
    logit = (
        depot + (features["distance"] - 10) / 1.8 + 0.2 * (features["items"] - 4) + (0.8 if features["rain"] else 0.0)
    )
    return 1 / (1 + math.exp(-logit))

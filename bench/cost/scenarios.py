"""The scenarios: a model, its history, and the amount and length of traffic."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from bench.cost.ageing import DENSE_DAYS

MODEL = "model"
START = datetime(2026, 3, 1, tzinfo=UTC)
HISTORY_DAYS, HISTORY_PER_HOUR = 1, 40
# Feedback comes ten minutes after its prediction, and the window closes after twenty: within the hours played every
# prediction comes round, as it would within days where outcomes take days.
FEEDBACK_AFTER = 600.0
# Until feedback, windows and batches come round as often as predictions come.
WARM_UP = 2400.0
# The two kinds of calls are not made in the same second.
APART = 7.0
_LABELS_OF = {"event": "outcome", "kind": "outcome", "window": "PT20M"}
FEATURES = {
    **{f"amount_{number}": {"type": "numeric"} for number in range(6)},
    **{f"kind_{number}": {"type": "categorical"} for number in range(3)},
    "returning": {"type": "boolean"},
}
CONFIGURATION = {
    "model": MODEL,
    "task": "binary",
    "features": FEATURES,
    "labels": {"rules": [_LABELS_OF]},
    "monitoring": {"window": "P7D", "performance": {"metric": "accuracy", "min": 0.55}},
    "training": {"window": "P30D"},
    "triggers": {"schedule": "P7D", "drift": True, "performance": True},
    "gate": {"metric": "accuracy", "floor": 0.5},
}
RETRAININGS_A_MONTH = 30 / 7


@dataclass(frozen=True, slots=True)
class Scenario:
    """A number of predictions and of events a day, in calls of a number of items; none is a quiet stack."""

    name: str
    a_day: float
    hours: int
    items_a_call: int = 1
    # How old the stack becomes; 0: what months add is derived.
    days: int = 0

    def digest(self) -> str:
        """Compute a digest that distinguishes results of another scenario, model or history."""
        played = [asdict(self), CONFIGURATION, HISTORY_DAYS, HISTORY_PER_HOUR, DENSE_DAYS, FEEDBACK_AFTER, WARM_UP]
        return hashlib.sha256(json.dumps(played, sort_keys=True).encode()).hexdigest()[:16]


SCENARIOS = (
    Scenario("quiet", 0, hours=1, days=90),
    Scenario("thousand_a_day", 1000, hours=1, days=90),
    Scenario("million_single", 1_000_000 / 30, hours=1),
    Scenario("million_batched", 1_000_000 / 30, hours=1, items_a_call=500),
)

"""The traffic of apps about one model on a bad day, and its expected result, computed without the product's own code.

A rating is a number; the label of a prediction is the mean of its ratings of two days. A rating that is counted twice,
or not at all, changes it.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

START = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = timedelta(days=2)
CLOCK_SKEW = timedelta(minutes=10)
END = START + timedelta(days=60)
SHARE_OF_PREDICTIONS = 0.3
# Of the feedback: events sent once more, retracted, sent with another value, out of their window, before their
# prediction is logged, about no prediction, and not readable by any rule.
SHARES = {"repeated": 0.1, "retracted": 0.05, "conflicting": 0.02, "outside": 0.05, "orphaned": 0.01, "invalid": 0.01}
EARLY = 0.1
# Clocks of apps that are off by minutes, in both directions.
SKEW = timedelta(minutes=8)

UNREADABLE = "not a number"
# The second body of an id differs by this much: no other value is as large.
OTHER = 1000.0

Item = dict[str, Any]


def configuration(model: str) -> dict[str, Any]:
    """Build the configuration of the model that the traffic is about."""
    return {
        "model": model,
        "task": "regression",
        "features": {"x": {"type": "numeric"}},
        "labels": {
            "clock_skew": "PT10M",
            "rules": [{"event": "rating", "kind": "outcome", "window": "P2D", "aggregate": "mean"}],
        },
        "review": {"random_rate": 0},
        "triggers": {"schedule": None, "volume": None, "drift": False, "performance": False},
    }


@dataclass(slots=True)
class Traffic:
    """The events of a seed: predictions by id, and feedback in the order in which it is sent, repeats included."""

    model: str
    seed: int
    events: int
    predictions: dict[str, Item] = field(default_factory=dict)
    feedback: list[Item] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = random.Random(self.seed)
        logged = max(10, int(self.events * SHARE_OF_PREDICTIONS))
        for number in range(logged):
            made = START + number * timedelta(days=5) / logged
            self.predictions[f"p{number:05d}"] = {
                "prediction_id": f"p{number:05d}",
                "features": {"x": round(rng.gauss(0, 1), 4)},
                "score": round(rng.random(), 4),
                "model_version": "elsewhere",
                "occurred_at": _text(made),
            }
        count = {name: int((self.events - logged) * share) for name, share in SHARES.items()}
        plain = self.events - logged - sum(count[name] for name in ("repeated", "retracted", "conflicting"))
        kinds = [name for name in ("outside", "orphaned", "invalid") for _ in range(count[name])]
        first = [self._event(rng, number, kinds[number] if number < len(kinds) else "") for number in range(plain)]
        readable = [event for event in first if isinstance(event["value"], float)]
        retracted = rng.sample(readable, count["retracted"])
        again = rng.sample(readable, count["conflicting"])
        sent = [
            *first,
            *(_retraction(event) for event in retracted),
            *({**event, "value": event["value"] + OTHER, "received_at": _after(event, 3)} for event in again),
        ]
        sent += rng.sample(sent, count["repeated"])
        rng.shuffle(sent)
        self.feedback = sent

    @property
    def early(self) -> set[str]:
        """The predictions that are logged only once everything about them has been sent."""
        return set(list(self.predictions)[:: int(1 / EARLY)])

    def expected(self) -> dict[str, float | None]:
        """Compute the expected last label of each prediction, None where no feedback was received in time."""
        retracted = {
            (event["prediction_id"], event["value"]) for event in self.feedback if event["name"] == "retracted"
        }
        said: dict[str, dict[str, Item]] = {name: {} for name in self.predictions}
        for event in self.feedback:
            if event["name"] != "rating" or event["prediction_id"] not in said or is_unreadable(event):
                continue
            # Of one id with two bodies the first received stays.
            known = said[event["prediction_id"]].setdefault(event["feedback_id"], event)
            if event["received_at"] < known["received_at"]:
                said[event["prediction_id"]][event["feedback_id"]] = event
        return {
            name: _mean(
                Fraction(event["value"])
                for event in events.values()
                if (name, event["feedback_id"]) not in retracted and self._is_in_window(event)
            )
            for name, events in said.items()
        }

    def quarantined(self) -> dict[str, set[tuple[str, Any]]]:
        """List the events that may be quarantined, by reason: their ids and values."""
        valid = [event for event in self.feedback if not is_unreadable(event)]
        values: dict[tuple[str, str], set[Any]] = {}
        for event in valid:
            values.setdefault((event["prediction_id"], event["feedback_id"]), set()).add(event["value"])
        orphans = [event for event in valid if event["prediction_id"] not in self.predictions]
        return {
            "invalid": {(event["feedback_id"], event["value"]) for event in self.feedback if is_unreadable(event)},
            "unmatched": {(event["feedback_id"], event["value"]) for event in orphans},
            # Out of order either body may be the one that finds the other there.
            "conflict": {(ids[1], value) for ids, found in values.items() if len(found) > 1 for value in found},
        }

    def must_be_quarantined(self) -> dict[str, set[tuple[str, Any]]]:
        """List the events that must be quarantined: of two bodies of an id the one received later, besides the rest.

        A retraction of an event without a prediction has the prediction id of that event.
        """
        found = self.quarantined()
        later = {(name, value) for name, value in found["conflict"] if value >= OTHER}
        unmatched = {one for one in found["unmatched"] - later if isinstance(one[1], float)}
        return {**found, "conflict": later, "unmatched": unmatched}

    def _event(self, rng: random.Random, number: int, kind: str) -> Item:
        prediction_id = rng.choice(list(self.predictions))
        made = datetime.fromisoformat(self.predictions[prediction_id]["occurred_at"])
        offset = -SKEW + rng.random() * (WINDOW + SKEW)
        if kind == "outside":
            offset = rng.choice([-CLOCK_SKEW - SKEW, WINDOW + timedelta(hours=1)])
        occurred = made + offset
        value: Any = round(rng.uniform(0, 10), 3)
        return {
            "feedback_id": f"f{number:05d}",
            "prediction_id": f"unknown{number:05d}" if kind == "orphaned" else prediction_id,
            "name": "rating",
            "value": UNREADABLE if kind == "invalid" else value,
            "occurred_at": _text(occurred),
            "received_at": _text(occurred + timedelta(seconds=rng.randint(1, 3000))),
        }

    def _is_in_window(self, event: Item) -> bool:
        made = datetime.fromisoformat(self.predictions[event["prediction_id"]]["occurred_at"])
        return made - CLOCK_SKEW <= datetime.fromisoformat(event["occurred_at"]) <= made + WINDOW


def pages(items: list[Item], rng: random.Random, largest: int = 250) -> Iterator[list[Item]]:
    """Divide items into calls of random sizes, no id twice in one."""
    start = 0
    while start < len(items):
        page = items[start : start + rng.randint(1, largest)]
        start += len(page)
        yield page


def is_unreadable(event: Item) -> bool:
    """Check whether no rule can read an event, so that it must be rejected."""
    return event.get("value") == UNREADABLE


def _retraction(event: Item) -> Item:
    later = _after(event, 2)
    retraction = {"feedback_id": f"r-{event['feedback_id']}", "name": "retracted", "value": event["feedback_id"]}
    return {**event, **retraction, "occurred_at": later, "received_at": later}


def _mean(values: Iterator[Fraction]) -> float | None:
    found = list(values)
    return float(sum(found) / len(found)) if found else None


def _after(event: Item, days: int) -> str:
    return _text(datetime.fromisoformat(event["received_at"]) + timedelta(days=days))


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")

"""Predictions, ten of each entity, and five times as many events by entity and reference."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hindsight.entities.feedback import Feedback
from hindsight.entities.label import Label
from hindsight.entities.prediction import Prediction
from tests.unit.labels.builders import at, event, prediction
from tests.unit.labels.key_world import KeyRules


def rule(event: str, by: str, match: str, hours: float | None, aggregate: str = "last") -> dict[str, Any]:
    window = None if hours is None else timedelta(hours=hours)
    return {"event": event, "kind": "outcome", "by": by, "match": match, "window": window, "aggregate": aggregate}


def many_predictions(dice: random.Random, count: int = 2_000) -> list[Prediction]:
    return [
        prediction(
            f"p-{number}",
            occurred_at=at(made := dice.uniform(0, 200)),
            received_at=at(made + dice.choice((0, 0, 0, 2, 30))),
            outcome_due_at=at(made + 30),
            entity_id=f"e-{dice.randrange(count // 10)}",
            reference=f"r-{dice.randrange(count // 5)}",
        )
        for number in range(count)
    ]


def many_events(dice: random.Random, count: int = 10_000) -> list[Feedback]:
    def drawn(number: int) -> Feedback:
        name = dice.choice(("a", "a", "a", "b", "exposed", "retracted"))
        value = f"f-{dice.randrange(count)}" if name == "retracted" else dice.choice((0, 1))
        hours = dice.uniform(0, 240)
        said = event(name, value, hours=hours, received=hours + dice.choice((0, 0, 1, 40)), feedback_id=f"f-{number}")
        if name != "b" and dice.random() < 0.6:
            return said.replace(prediction_id=None, entity_id=f"e-{dice.randrange(count // 50)}")
        return said.replace(prediction_id=None, reference=f"r-{dice.randrange(count // 25)}")

    return [drawn(number) for number in range(count)]


MANY_RULES = KeyRules(
    [
        rule("a", "entity", "last", 30),
        rule("b", "reference", "all", None, "any"),
        rule("a", "reference", "first", 9),
    ],
    {"value": 0, "after": timedelta(hours=20), "exposure": True},
)


def expected_among(
    one: Prediction, predictions: Sequence[Prediction], events: Sequence[Feedback], moment: datetime
) -> Label:
    """Compute what the oracle says of a prediction, given those that share a key with it."""
    near = [other for other in predictions if other.entity_id == one.entity_id or other.reference == one.reference]
    theirs = [said for said in events if said.entity_id == one.entity_id or said.reference == one.reference]
    return MANY_RULES.expected(one, near, theirs, moment)

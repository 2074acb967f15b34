"""Feedback and rules as Hypothesis draws them: few ids and few times, so that they collide."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from shared.capture.feedback import Feedback
from shared.configuration.labels import Labels
from shared.configuration.metrics import Task
from shared.configuration.types import format_duration
from shared.labels.rules import Rules, ready_rules
from tests.unit.labels.builders import event, labels

NAMES = ("a", "b", "exposed", "retracted", "c")
IDS = ("f-1", "f-2", "f-3", "f-4", "f-5")


@st.composite
def deliveries(draw: st.DrawFn, most: int = 7) -> list[Feedback]:
    """Events about one prediction, some delivered twice or later again; one id has one body."""
    found = []
    for feedback_id in draw(st.lists(st.sampled_from(IDS), unique=True, max_size=most)):
        name = draw(st.sampled_from(NAMES))
        value = draw(st.sampled_from(IDS)) if name == "retracted" else draw(st.sampled_from((0, 50, 150, "odd")))
        hours = draw(st.integers(-1, 12))
        received = draw(st.integers(0, 16))
        first = event(name, value, hours=hours, received=received, feedback_id=feedback_id)
        found.append(first)
        for later in draw(st.lists(st.integers(0, 3), max_size=2)):
            found.append(replace(first, received_at=first.received_at + timedelta(hours=later)))
    return found


@st.composite
def rule_sets(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rules as the oracle reads them."""
    rules: list[dict[str, Any]] = []
    for name in draw(st.lists(st.sampled_from(("a", "b", "c")), min_size=1, max_size=3)):
        hours = draw(st.sampled_from((None, 3, 6, 10)))
        rules.append(
            {
                "event": name,
                "window": None if hours is None else timedelta(hours=hours),
                "aggregate": draw(st.sampled_from(("first", "last", "sum", "max"))),
                "above": 100,
            }
        )
    if draw(st.booleans()):
        after = timedelta(hours=draw(st.sampled_from((10, 11))))
        rules.append({"default": draw(st.sampled_from((0, 1))), "after": after, "exposure": draw(st.booleans())})
    return rules


def parsed(rules: list[dict[str, Any]]) -> Rules:
    """Return the same rules ready to be applied."""
    return ready_rules(declared_labels(rules), Task.BINARY)


def declared_labels(rules: list[dict[str, Any]]) -> Labels:
    """Return the same rules as a configuration holds them."""
    default = None
    declared = []
    for rule in rules:
        if "default" in rule:
            after = format_duration(rule["after"])
            default = {"value": rule["default"], "after": after, "requires_exposure": rule["exposure"]}
        else:
            window = {"window": format_duration(rule["window"])} if rule["window"] else {}
            declared.append(
                {
                    "event": rule["event"],
                    "aggregate": rule["aggregate"],
                    "positive": {"greater_than": rule["above"]},
                    **window,
                }
            )
    return labels(*declared, default=default)

"""Feedback and rules as Hypothesis draws them: few ids and few times, so that they collide."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from hindsight.config.model import ModelConfiguration
from hindsight.config.types import format_duration
from hindsight.entities.feedback import Feedback
from hindsight.entities.label import Label
from hindsight.labels.rules import Rules, ready_rules
from tests.unit.labels.builders import configuration, event, prediction
from tests.unit.labels.oracle import expected_label

RULED = ("a", "b", "c")
NAMES = (*RULED, "a", "b", "exposed", "retracted")
IDS = tuple(f"f-{number}" for number in range(1, 7))
VALUES = (0, 1, 50, 150, 0.5, True, False, None, "up", "down", "1", "odd")
AGGREGATES = ("first", "last", "sum", "mean", "max", "min", "count", "any", "majority")
NUMERIC = ("sum", "mean", "max", "min")


@dataclass(frozen=True)
class RuleSet:
    """Rules and a default as the oracle reads them, for one task."""

    task: str
    rules: list[dict[str, Any]]
    default: dict[str, Any] | None = field(default=None)

    def expected(self, events: list[Feedback], as_of: datetime) -> Label:
        """Ask the oracle for the label of ``builders.prediction()``."""
        value, status, kind, name, others = expected_label(
            prediction().occurred_at, events, as_of, rules=self.rules, default=self.default, task=self.task
        )
        return Label(value=value, status=status, kind=kind, event=name, disagreeing=others)  # type: ignore[arg-type]

    def configuration(self) -> ModelConfiguration:
        """Build a configuration that declares the same."""
        default = self.default and {
            "value": self.default["value"],
            "after": format_duration(self.default["after"]),
            "requires_exposure": self.default["exposure"],
        }
        return configuration(*map(_declared, self.rules), task=self.task, default=default)

    def ready(self) -> Rules:
        """Build the same rules, ready to be applied."""
        found = self.configuration()
        return ready_rules(found.labels, found.task)


@st.composite
def deliveries(draw: st.DrawFn) -> list[Feedback]:
    """Events about one prediction, some delivered twice or later again; one id has one body."""
    found = []
    for feedback_id in draw(st.lists(st.sampled_from(IDS), unique=True, max_size=len(IDS))):
        name = draw(st.sampled_from(NAMES))
        value = draw(st.sampled_from(IDS)) if name == "retracted" else draw(st.sampled_from(VALUES))
        hours = draw(st.integers(-1, 12))
        received = draw(st.integers(0, 16))
        first = event(name, value, hours=hours, received=received, feedback_id=feedback_id)
        found.append(first)
        for later in draw(st.lists(st.integers(0, 3), max_size=2)):
            found.append(replace(first, received_at=first.received_at + timedelta(hours=later)))
    return found


@st.composite
def rule_sets(draw: st.DrawFn) -> RuleSet:
    """One to three rules of any aggregate and mapping their task allows, and perhaps a default."""
    task = draw(st.sampled_from(("binary", "binary", "multiclass", "regression")))
    labels = {"binary": (0, 1), "multiclass": ("x", "y", "z"), "regression": (1.5, 2.0)}[task]
    rules = []
    for name in draw(st.lists(st.sampled_from(RULED), min_size=1, max_size=3)):
        hours = draw(st.sampled_from((None, 3, 6, 10)))
        aggregate = draw(st.sampled_from(AGGREGATES))
        kind = draw(st.sampled_from(("manual", "outcome", "explicit", "action")))
        rule = {
            "event": name,
            "kind": kind,
            "aggregate": aggregate,
            "window": None if hours is None else timedelta(hours=hours),
        }
        kinds = [
            "bare",
            "value",
            *(["above"] if task == "binary" else []),
            *(["map"] if aggregate not in NUMERIC else []),
        ]
        kind = draw(st.sampled_from(kinds))
        if kind == "value":
            rule["value"] = draw(st.sampled_from(labels))
        elif kind == "above":
            rule["above"] = draw(st.sampled_from((0, 1, 100)))
        elif kind == "map":
            # A count is never a text, and a configuration that asks for one is refused.
            met = ("1", "2", "3") if aggregate == "count" else ("up", "down", "1", "2", "true")
            keys = draw(st.lists(st.sampled_from(met), min_size=1, unique=True))
            rule["map"] = {key: draw(st.sampled_from(labels)) for key in keys}
        rules.append(rule)
    default = None
    if draw(st.booleans()):
        after = timedelta(hours=draw(st.sampled_from((10, 11))))
        default = {"value": draw(st.sampled_from(labels)), "after": after, "exposure": draw(st.booleans())}
    return RuleSet(task, rules, default)


def _declared(rule: dict[str, Any]) -> dict[str, Any]:
    declared = {name: value for name, value in rule.items() if name not in {"window", "above"}}
    if rule["window"] is not None:
        declared["window"] = format_duration(rule["window"])
    if "above" in rule:
        declared["positive"] = {"greater_than": rule["above"]}
    return declared

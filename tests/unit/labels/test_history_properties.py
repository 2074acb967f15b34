"""Label histories do not depend on the order of events, nor snapshots on later records."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.config.store import ConfigurationRevision
from hindsight.entities.feedback import Feedback
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.archiving.archive import Archive, LabelChange
from hindsight.labels.archiving.new_labels import NewLabels
from hindsight.labels.history import label_at
from hindsight.labels.joining.join import LabelJoiner
from hindsight.labels.plan import JoinPlan
from hindsight.quarantine.store import Quarantine
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.predictions.allowances import no_limits
from hindsight.testing.predictions.effects import InMemoryEffects
from hindsight.testing.predictions.label_store import InMemoryLabels
from hindsight.testing.predictions.new_labels import InMemoryNewLabels
from tests.unit.datasets.builders import Built, build
from tests.unit.labels.builders import ANNOTATION, DEMAND, NOON, RETENTION, at, configuration, event, key, prediction
from tests.unit.labels.strategies import RuleSet, deliveries, rule_sets

FEW = settings(max_examples=60, deadline=None)
END = 40


@dataclass
class World:
    """A joiner on fakes whose table streams its label records to the lake, as the deployed one's does."""

    rules: RuleSet
    lake: InMemoryLake = field(default_factory=InMemoryLake)

    def __post_init__(self) -> None:
        self.configurations = InMemoryConfigurations(self.rules.configuration())
        self.store = Streaming(self.lake)
        self.joiner = LabelJoiner(
            self.store, Quarantine(InMemoryLake()), self.configurations, no_limits(), InMemoryEffects()
        )

    def predict(self) -> None:
        self.store.save(prediction(outcome_due_at=at(0)), RETENTION)
        self.joiner.rejoin([key()])

    def clock(self, hours: float) -> None:
        self.joiner.close_windows([key()], at(hours))

    def change_rules(self, rules: RuleSet) -> None:
        self.configurations.put(rules.configuration(), NOON)

    def snapshot(self, as_of: datetime) -> Built:
        return build(self.lake, as_of, ConfigurationRevision(1, self.rules.configuration()))


class Streaming(InMemoryLabels):
    def __init__(self, lake: InMemoryLake) -> None:
        super().__init__()
        self._archive, self._batches = Archive(lake), 0

    def commit(self, plans: Sequence[JoinPlan]) -> set[PredictionKey]:
        lost = super().commit(plans)
        self._batches += 1
        changes = [
            LabelChange(plan.key, record, at(0)) for plan in plans if plan.key not in lost for record in plan.records
        ]
        self._archive.write_labels(f"{self._batches:06d}", changes, self, NewLabels(InMemoryNewLabels()))
        return lost


@FEW
@given(rule_sets(), deliveries(), st.randoms(use_true_random=False), st.booleans())
def test_history_is_the_same_for_any_order_of_arrival(
    rules: RuleSet, events: list[Feedback], random: Any, early: bool
) -> None:
    world = World(rules)
    shuffled = [*events, *events]
    random.shuffle(shuffled)
    steps: list[Any] = [[found] for found in shuffled] if random.random() < 0.5 else [shuffled]
    steps += [random.uniform(0, 30) for _ in range(3)]
    random.shuffle(steps)
    steps.insert(random.randrange(len(steps)) if early else 0, "predict")

    for step in steps:
        if step == "predict":
            world.predict()
        elif isinstance(step, float):
            world.clock(step)
        else:
            world.joiner.join(step)
    world.clock(END)

    (found,) = world.store.load([key()])
    for hours in range(END + 1):
        assert label_at(found.labels, at(hours)) == rules.expected(events, at(hours))
    assert [record.seq for record in found.labels] == list(range(1, len(found.labels) + 1))


@FEW
@given(rule_sets(), rule_sets(), deliveries(), st.integers(0, 20), st.randoms(use_true_random=False))
def test_a_snapshot_as_of_a_moment_is_the_same_whenever_it_is_taken_after_it(
    rules: RuleSet, changed: RuleSet, events: list[Feedback], hours: int, random: Any
) -> None:
    world, moment = World(rules), at(hours)
    world.predict()
    known = [found for found in events if found.received_at <= moment]
    random.shuffle(known)
    for found in known:
        world.joiner.join([found])
    world.clock(hours)
    taken = world.snapshot(moment)

    # All that may happen later: news, deliveries again, other rules, the clock, a relabelling.
    steps: list[Any] = [[found] for found in events if found not in known] + [[found] for found in known]
    steps += [changed, float(hours + 3), float(END), "relabel"]
    random.shuffle(steps)
    looks = {random.randrange(len(steps)), len(steps) - 1}
    for number, step in enumerate(steps):
        if isinstance(step, RuleSet):
            world.change_rules(step)
        elif step == "relabel":
            world.joiner.relabel({key(): events}, at(max(hours + 1, 17)))
        elif isinstance(step, float):
            world.clock(step)
        else:
            world.joiner.join(step)
        if number in looks:
            assert world.snapshot(moment) == taken


@pytest.mark.parametrize("count", [40, 41, 100])
def test_a_relabelling_that_recovers_many_events_leaves_the_past_as_it_was(count: int) -> None:
    rules = {"event": "a", "kind": "outcome", "aggregate": "max", "window": None, "above": 100}
    world = World(RuleSet("binary", [rules]))
    world.predict()
    events = [event("a", 75, hours=number / 10) for number in range(count)]
    world.joiner.join(events[-1:])
    before = world.store.load([key()])[0].labels
    world.change_rules(RuleSet("binary", [{**rules, "above": 50}]))

    world.joiner.relabel({key(): events}, at(END))

    (found,) = world.store.load([key()])
    assert len(found.feedback) == count
    assert found.labels[: len(before)] == before
    assert [(record.label.value, record.known_at) for record in found.labels[len(before) :]] == [(1, at(END))]


@FEW
@given(rule_sets(), rule_sets(), deliveries(), st.booleans())
def test_a_relabelling_keeps_the_old_labels_and_gives_the_new_rules_one_from_its_own_moment(
    rules: RuleSet, changed: RuleSet, events: list[Feedback], joined_before: bool
) -> None:
    world = World(rules)
    world.predict()
    world.joiner.join(events if joined_before else [])
    world.clock(END)
    before = world.store.load([key()])[0].labels
    world.change_rules(changed)

    world.joiner.relabel({key(): events}, at(END + 1))

    (found,) = world.store.load([key()])
    assert found.labels[: len(before)] == before
    assert all(record.known_at == at(END + 1) for record in found.labels[len(before) :])
    assert label_at(found.labels, at(END + 1)) == changed.expected(events, at(END + 1))
    world.joiner.relabel({key(): events}, at(END + 1))
    assert world.store.load([key()]) == [found]


def news_of(*events: Feedback) -> list[tuple[Any, str, bool]]:
    """List the value, the status and the news of each record of a history that is built event by event."""
    world = World(RuleSet("binary", []))
    world.configurations.put(configuration(ANNOTATION, DEMAND), NOON)
    world.predict()
    for found in events:
        world.joiner.join([found])
    world.clock(24 * 30)
    [collection] = world.store.load([key()])
    records = sorted(collection.labels, key=lambda record: record.seq)
    return [(record.label.value, record.label.status.value, record.is_new) for record in records]


def test_a_label_is_new_when_it_first_has_a_value() -> None:
    assert [is_new for *_, is_new in news_of(event("demand", 150, hours=3))] == [True]


def test_another_value_is_new_and_one_it_had_before_is_not() -> None:
    events = [event("demand", value, hours=hours, feedback_id=f"f-{hours}") for hours, value in ((3, 150), (5, 50))]
    reviewed = event("annotation", 1, hours=6, feedback_id="review")
    assert [(value, is_new) for value, _, is_new in news_of(*events, reviewed) if is_new] == [(1, True), (0, True)]


def test_retracted_label_is_not_new_and_neither_is_its_return() -> None:
    events = [
        event("demand", 150, hours=3, feedback_id="f-1"),
        event("retracted", "f-1", hours=4, feedback_id="f-2"),
        event("demand", 150, hours=5, feedback_id="f-3"),
    ]
    history = news_of(*events)
    assert [value for value, *_ in history][:3] == [1, None, 1]
    assert [is_new for *_, is_new in history] == [True] + [False] * (len(history) - 1)


@FEW
@given(rule_sets(), deliveries())
def test_a_history_has_each_value_as_new_once(rules: RuleSet, events: list[Feedback]) -> None:
    world = World(rules)
    world.predict()
    for found in events:
        world.joiner.join([found])
    world.clock(END)
    [collection] = world.store.load([key()])
    values = [record.label.value for record in collection.labels if record.label.value is not None]
    new = [record.label.value for record in collection.labels if record.is_new]
    assert sorted(map(str, new)) == sorted({str(value) for value in values})

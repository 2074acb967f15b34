"""Joins under races, crashes and limits of entities."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from operator import attrgetter

import pytest

from hindsight.adapters.dynamodb.requests import at_once
from hindsight.config.feedback import EntityLimit, FeedbackLimits, FeedbackRules
from hindsight.config.store import ConfigurationRevision
from hindsight.core.errors import Unavailable
from hindsight.entities.feedback import Feedback
from hindsight.entities.label import LabelStatus
from hindsight.entities.label_collection import Collection
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.history import label_at
from hindsight.labels.joining.entity_limit import Allowance, EntityLimits
from hindsight.labels.joining.join import JoinCount, LabelJoiner
from hindsight.labels.plan import JoinPlan, plan_join
from hindsight.quarantine.store import Quarantine
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.predictions.allowances import InMemoryAllowances, no_limits
from hindsight.testing.predictions.effects import InMemoryEffects
from hindsight.testing.predictions.label_store import InMemoryLabels
from tests.unit.labels.builders import (
    MODEL,
    RETENTION,
    at,
    event,
    key,
    prediction,
)
from tests.unit.labels.joining import Bench
from tests.unit.labels.key_traffic import rule
from tests.unit.labels.key_world import KeyRules, KeyWorld

BY_ID = attrgetter("feedback_id")


@pytest.fixture
def bench() -> Bench:
    return Bench()


class Racing(InMemoryLabels):
    """A label store that lets another worker join just before the first commits."""

    def __init__(self) -> None:
        super().__init__()
        self.rivals: list[JoinPlan] = []

    def commit(self, plans: Sequence[JoinPlan]) -> set[PredictionKey]:
        rivals, self.rivals = self.rivals, []
        super().commit(rivals)
        return super().commit(plans)


def test_lost_race_is_planned_again_on_the_winner_s_result(bench: Bench) -> None:
    racing = Racing()
    racing.save(prediction(), RETENTION)
    racing.save(prediction("p-2"), RETENTION)
    rules = ConfigurationRevision(1, bench.configuration)
    racing.rivals = [plan_join(racing.load([key()])[0], [event("annotation", 0)], rules)]
    joiner = replace(bench.joiner, store=racing)

    report = joiner.join([event("demand", 150), event("demand", 150, prediction_id="p-2")])

    first, second = racing.load([key(), key("p-2")])
    assert {found.name for found in first.feedback} == {"annotation", "demand"}
    assert label_at(first.labels, at(9)).disagreeing == ("demand",)
    assert label_at(second.labels, at(9)).status is LabelStatus.FINAL
    assert report.counts[MODEL][JoinCount.JOINED] == 2


def test_endless_race_is_reported(bench: Bench) -> None:
    class Losing(InMemoryLabels):
        def commit(self, plans: Sequence[JoinPlan]) -> set[PredictionKey]:
            return {plan.key for plan in plans}

    with pytest.raises(Unavailable):
        replace(bench.joiner, store=Losing()).join([event("demand", 1)])


class Crashed(Exception):
    pass


class Crashing(InMemoryLabels):
    """Crashes before or after the n-th call."""

    def __init__(self) -> None:
        super().__init__()
        self.fuse: int | None = None

    def load(self, keys: Sequence[PredictionKey]) -> list[Collection]:
        self._burn()
        return super().load(keys)

    def commit(self, plans: Sequence[JoinPlan]) -> set[PredictionKey]:
        lost = set()
        for plan in plans:
            self._burn()
            lost |= super().commit([plan])
        self._burn()
        return lost

    def _burn(self) -> None:
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse < 0:
                self.fuse = None
                raise Crashed


@pytest.mark.parametrize("fuse", range(12))
def test_a_crash_between_any_two_calls_and_a_redelivery_end_the_same(bench: Bench, fuse: int) -> None:
    events = [
        event("demand", 150, received=2),
        event("thumb", "up", received=3),
        event("demand", 50, received=2, prediction_id="p-2"),
        event("demand", 70, received=2, prediction_id="early"),
        event("thumb", "down", feedback_id="thumb-1-up", received=4, digest="other"),
    ]
    crashing, whole = Crashing(), InMemoryLabels()
    for store in (crashing, whole):
        store.save(prediction(), RETENTION)
        store.save(prediction("p-2"), RETENTION)
    replace(bench.joiner, store=whole).join(events)
    joiner = replace(bench.joiner, store=crashing)

    crashing.fuse = fuse
    try:
        for first in events[:2]:
            joiner.join([first])
        joiner.join(events)
    except Crashed:
        joiner.join(events)
    crashing.fuse = None

    for prediction_id in ("p-1", "p-2", "early"):
        (found,), (expected,) = crashing.load([key(prediction_id)]), whole.load([key(prediction_id)])
        assert sorted(found.feedback, key=BY_ID) == sorted(expected.feedback, key=BY_ID)
        assert label_at(found.labels, at(99)) == label_at(expected.labels, at(99))


class Limited(Bench):
    """A joiner of a model whose entities may say two things an hour."""

    def __init__(self) -> None:
        super().__init__()
        limits = FeedbackLimits(per_entity=EntityLimit(count=2, per=timedelta(hours=1)))
        limited = self.configuration.model_copy(update={"feedback": FeedbackRules(limits=limits)})
        configurations = InMemoryConfigurations(limited)
        self.joiner = LabelJoiner(self.store, Quarantine(self.lake), configurations, no_limits(), InMemoryEffects())
        for number in range(4):
            self.predict(f"p-{number}", entity_id="customer-17")

    def kept(self) -> list[str]:
        return [event.feedback_id for number in range(4) for event in self.collection(f"p-{number}").feedback]


def said(number: int, received: float = 1.5) -> Feedback:
    return event("demand", 150, received=received, prediction_id=f"p-{number}", feedback_id=f"f-{number}-{received}")


def test_feedback_beyond_an_entity_s_limit_is_set_aside_for_any_prediction() -> None:
    bench = Limited()

    report = bench.joiner.join([said(number) for number in range(4)])

    assert bench.kept() == ["f-0-1.5", "f-1-1.5"]
    assert [(row["code"], row["event"]["feedback_id"]) for row in bench.quarantined()] == [
        ("rate_limited", "f-2-1.5"),
        ("rate_limited", "f-3-1.5"),
    ]
    assert report.counts[MODEL] == {JoinCount.JOINED: 2, JoinCount.LABELS: 2, JoinCount.QUARANTINED: 2}
    assert not bench.history("p-2")


def test_delivered_again_or_in_another_order_the_same_count() -> None:
    bench = Limited()
    events = [said(number) for number in range(4)]
    bench.joiner.join(events)
    kept = bench.kept()

    bench.joiner.join([*reversed(events), *events])

    assert bench.kept() == kept
    assert {row["event"]["feedback_id"] for row in bench.quarantined()} == {"f-2-1.5", "f-3-1.5"}


def test_each_span_has_its_own_limit_and_other_entities_theirs() -> None:
    bench = Limited()
    bench.predict("other", entity_id="customer-18")
    bench.predict("without_entity")
    bench.joiner.join([said(0), said(1), said(2), said(2, received=2.5)])

    others = [event("demand", 150, received=1.5, prediction_id=name) for name in ("other", "without_entity")]
    report = bench.joiner.join(others)

    assert bench.kept() == ["f-0-1.5", "f-1-1.5", "f-2-2.5"]
    assert report.counts[MODEL][JoinCount.JOINED] == 2


def test_relabelling_restores_no_feedback_beyond_the_limit_and_reports_nothing_twice() -> None:
    bench = Limited()
    events = [said(number) for number in range(4)]
    bench.joiner.join(events)

    bench.joiner.relabel({one.key: [one] for one in events}, at(50))

    assert bench.kept() == ["f-0-1.5", "f-1-1.5"]
    assert len(bench.quarantined()) == 2


class LimitedByKey(KeyWorld):
    """A joiner by entity and reference of a model whose entities may say two things an hour; three predictions."""

    def __init__(self) -> None:
        rules = KeyRules([rule("churned", "entity", "all", 48), rule("returned", "reference", "all", 48)])
        limits = FeedbackLimits(per_entity=EntityLimit(count=2, per=timedelta(hours=1)))
        super().__init__(rules.configuration().model_copy(update={"feedback": FeedbackRules(limits=limits)}))
        self.log(*(prediction(f"p-{number}", entity_id="e-1", reference="r-1") for number in range(3)))

    def kept(self) -> list[set[str]]:
        collections = self.store.load([key(f"p-{number}") for number in range(3)])
        return [{event.feedback_id for event in found.feedback} for found in collections]


def of_entity(feedback_id: str, received: float = 1.5, **named: str) -> Feedback:
    name = "returned" if "reference" in named else "churned"
    said = event(name, 1, feedback_id=feedback_id, received=received)
    return said.replace(prediction_id=None, **(named or {"entity_id": "e-1"}))


def test_event_by_entity_counts_once_however_many_predictions_it_labels() -> None:
    world = LimitedByKey()
    world.joiner.join([of_entity("f-1", 1.1)])
    world.joiner.join([of_entity("f-2", 1.2), of_entity("f-3", 1.3)])
    assert world.kept() == [{"f-1", "f-2"}] * 3
    assert [row["event"]["feedback_id"] for row in world.quarantined("rate_limited")] == ["f-3"]
    world.joiner.join([of_entity("f-3", 1.3), of_entity("f-1", 1.1)])
    assert world.kept() == [{"f-1", "f-2"}] * 3
    assert len(world.quarantined("rate_limited")) == 1


def test_event_beyond_the_limit_stays_beyond_it_for_a_prediction_that_comes_later() -> None:
    world = LimitedByKey()
    world.joiner.join([of_entity(f"f-{number}", 1 + number / 10) for number in (1, 2, 3)])
    world.log(prediction("p-0", entity_id="e-1"), prediction("late", entity_id="e-1", received_at=at(9)))
    (found,) = world.store.load([key("late")])
    assert {event.feedback_id for event in found.feedback} == {"f-1", "f-2"}


def test_same_id_by_another_key_is_another_event_of_the_limit() -> None:
    world = LimitedByKey()
    world.log(prediction("p-9", entity_id="e-1", reference="r-9"))
    events = [of_entity("f-1", 1.1), of_entity("f-1", 1.2, reference="r-1"), of_entity("f-1", 1.3, reference="r-9")]
    world.joiner.join(events)
    assert [row["event"].get("reference") for row in world.quarantined("rate_limited")] == ["r-9"]


class SlowAllowances(InMemoryAllowances):
    """Allowances that answer once four ask at the same time, or after a while."""

    def __init__(self) -> None:
        super().__init__()
        self.asking = threading.Barrier(4)

    def take(self, allowance: Allowance, events: Sequence[str]) -> set[str]:
        with suppress(threading.BrokenBarrierError):
            self.asking.wait(timeout=5)
        return super().take(allowance, events)


def test_limits_of_many_entities_are_asked_side_by_side() -> None:
    bench, allowances = Limited(), SlowAllowances()
    bench.joiner = replace(bench.joiner, limits=EntityLimits(allowances), side_by_side=at_once)
    for number in range(8):
        bench.predict(f"q-{number}", entity_id=f"rider-{number}")

    report = bench.joiner.join([event("demand", 150, prediction_id=f"q-{number}") for number in range(8)])

    assert not allowances.asking.broken
    assert report.counts[MODEL][JoinCount.JOINED] == 8

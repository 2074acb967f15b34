"""Effects of feedback on labels, counted by cause: at its join, and again when its prediction has come."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from hindsight.config.feedback import EntityLimit, FeedbackLimits, FeedbackRules
from hindsight.core.errors import Unavailable
from hindsight.entities.feedback import Feedback
from hindsight.labels.joining.effects import EffectCounts, FeedbackEffect, total
from hindsight.labels.joining.entity_limit import EntityLimits
from hindsight.labels.joining.join import JoinCount, LabelJoiner
from hindsight.quarantine.store import Quarantine
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.predictions.allowances import InMemoryAllowances
from hindsight.testing.predictions.effects import InMemoryEffects
from tests.unit.labels.builders import DEMAND, MODEL, NOON, at, event, key, labels, prediction
from tests.unit.labels.joining import Bench
from tests.unit.labels.key_traffic import rule
from tests.unit.labels.key_world import KeyRules, KeyWorld


def effects_of(bench: Bench | KeyWorld, since: float = -24) -> dict[str, int]:
    found = total(bench.effects.between(MODEL, at(-1000), at(1000)), at(since))
    return {effect.value: number for effect, number in found.items()}


@pytest.mark.parametrize(
    ("sent", "effect"),
    [
        (event("demand", 5), "counted"),
        (event("demand", 5, hours=1, received=200), "counted"),
        (event("demand", 5, prediction_id="p-9"), "unknown_prediction"),
        (event("demand", 5, hours=400), "out_of_window"),
        (event("demand", "much"), "unmatched_rule"),
        (event("retracted", "f-1"), "counted"),
    ],
)
def test_effect_of_an_event_is_counted_in_its_hour(sent: Feedback, effect: str) -> None:
    bench = Bench()
    bench.predict()
    bench.joiner.join([sent])
    assert effects_of(bench) == {effect: 1}
    assert [hour for _, hour in bench.effects.counts.by_hour] == [sent.received_at]


def test_event_of_an_excluded_source_changes_no_label() -> None:
    bench = Bench()
    bench.configure(labels={**labels(DEMAND).model_dump(mode="json"), "excluded_sources": [{"source": "partner"}]})
    bench.predict()
    bench.joiner.join([event("demand", 5).replace(source="partner")])
    assert effects_of(bench) == {"excluded_source": 1}


def test_event_sent_again_is_a_duplicate_and_one_delivered_again_is_not_counted() -> None:
    bench = Bench()
    bench.predict()
    first = event("demand", 5, feedback_id="f-1")
    bench.joiner.join([first])
    bench.joiner.join([first])
    assert effects_of(bench) == {"counted": 1}
    bench.joiner.join([event("demand", 5, feedback_id="f-1", received=2)])
    assert effects_of(bench) == {"counted": 1, "duplicate": 1}


def test_id_used_again_with_another_content_is_a_conflict() -> None:
    bench = Bench()
    bench.predict()
    sent = [event("demand", value, feedback_id="f-1", received=received) for value, received in ((5, 1), (6, 2))]
    bench.joiner.join(sent)
    assert effects_of(bench) == {"counted": 1, "conflict": 1}


def test_event_beyond_its_entity_s_limit_is_counted_as_such() -> None:
    bench = Bench()
    bench.configure(feedback={"limits": {"per_entity": {"count": 1, "per": "P1D"}}})
    bench.predict(entity_id="e-1")
    bench.joiner.join([event("demand", value, feedback_id=f"f-{value}") for value in (5, 6)])
    assert effects_of(bench) == {"counted": 1, "rate_limited": 1}


def test_event_that_waited_moves_to_its_effect_in_its_own_hour_once_its_prediction_comes() -> None:
    bench = Bench()
    bench.joiner.join([event("demand", 5, hours=1), event("demand", 5, hours=400, received=2)])
    assert effects_of(bench) == {"unknown_prediction": 2}
    bench.predict(hours=0, received_at=at(30))
    bench.joiner.rejoin([key()])
    assert effects_of(bench) == {"counted": 1, "out_of_window": 1}
    assert {hour for _, hour in bench.effects.counts.by_hour} == {at(1), at(2)}
    bench.joiner.rejoin([key()])
    assert effects_of(bench) == {"counted": 1, "out_of_window": 1}


def test_waiting_event_is_found_by_the_clock_and_by_later_feedback_as_well() -> None:
    for comes_later in (False, True):
        bench = Bench()
        bench.joiner.join([event("demand", 5, hours=1)])
        bench.predict()
        if comes_later:
            bench.joiner.join([event("demand", 7, hours=2)])
        else:
            bench.joiner.close_windows([key()], at(3))
        assert effects_of(bench) == {"counted": 2 if comes_later else 1}


def shared(name: str, entity: str, **changes: Any) -> Feedback:
    return event(name, 1, **changes).replace(prediction_id=None, entity_id=entity)


def test_event_by_entity_counts_for_the_predictions_it_labels_and_not_before_it_has_one() -> None:
    world = KeyWorld(KeyRules([rule("churned", "entity", "all", 48)]).configuration())
    world.joiner.join([shared("churned", "e-1"), shared("churned", "e-2")])
    assert effects_of(world) == {}
    world.log(prediction("p-1", entity_id="e-1"), prediction("p-2", entity_id="e-1"))
    assert effects_of(world) == {"counted": 2}
    world.joiner.join([shared("churned", "e-1")])
    assert effects_of(world) == {"counted": 2}


def test_event_that_a_later_prediction_takes_over_counts_once_for_each_of_the_two() -> None:
    world = KeyWorld(KeyRules([rule("churned", "entity", "last", 48)]).configuration())
    world.log(prediction("p-1", entity_id="e-1"))
    world.joiner.join([shared("churned", "e-1", hours=3)])
    world.log(prediction("p-2", hours=2, entity_id="e-1", received_at=at(5)))
    assert effects_of(world) == {"counted": 2}


def test_event_by_entity_beyond_its_limit_counts_as_such_for_each_prediction_that_it_would_label() -> None:
    rules = KeyRules([rule("churned", "entity", "all", 48)]).configuration()
    limits = FeedbackLimits(per_entity=EntityLimit(count=1, per=timedelta(hours=1)))
    world = KeyWorld(rules.model_copy(update={"feedback": FeedbackRules(limits=limits)}))
    world.log(prediction("p-1", entity_id="e-1"), prediction("p-2", entity_id="e-1"))
    world.joiner.join([shared("churned", "e-1", feedback_id=f"f-{n}", received=1 + n / 10) for n in (1, 2)])
    assert effects_of(world) == {"counted": 2, "rate_limited": 2}


def test_exposure_by_entity_that_no_default_asks_for_is_no_feedback_without_effect() -> None:
    world = KeyWorld(KeyRules([rule("churned", "entity", "last", 48)]).configuration())
    world.log(prediction("p-1", entity_id="e-1"))
    report = world.joiner.join([shared("exposed", "e-1")])
    assert effects_of(world) == {"counted": 1}
    assert not report.counts.get(MODEL, {}).get(JoinCount.IGNORED)


def test_event_that_no_rule_reads_by_its_key_changes_no_label() -> None:
    rules = [rule("churned", "entity", "last", 48), rule("left", "reference", "last", 48)]
    world = KeyWorld(KeyRules(rules).configuration())
    world.log(prediction("p-1", entity_id="e-1"))
    world.joiner.join([shared("left", "e-1"), shared("churned", "e-1", feedback_id="f", digest="a")])
    world.joiner.join([shared("churned", "e-1", feedback_id="f", digest="b")])
    assert effects_of(world) == {"counted": 1, "unmatched_rule": 1, "conflict": 1}


def test_hours_before_the_window_are_not_summed() -> None:
    bench = Bench()
    bench.predict()
    bench.joiner.join([event("demand", 5, hours=1), event("demand", 6, hours=30)])
    assert effects_of(bench, since=29) == {"counted": 1}


def test_counts_that_moved_out_of_an_hour_never_fall_below_zero() -> None:
    counts = EffectCounts()
    counts.add(event("demand", 5), FeedbackEffect.UNKNOWN_PREDICTION, -3)
    assert total({NOON: next(iter(counts.by_hour.values()))}, NOON) == Counter()


def test_join_is_not_done_again_where_its_effects_cannot_be_counted() -> None:
    class BusyEffects(InMemoryEffects):
        def add(self, counts: EffectCounts) -> None:
            raise Unavailable("the table is busy")

    bench = Bench()
    limits = EntityLimits(InMemoryAllowances())
    configurations: Any = InMemoryConfigurations(bench.configuration)
    joiner = LabelJoiner(bench.store, Quarantine(bench.lake), configurations, limits, BusyEffects())
    bench.store.save(prediction(), bench.configuration.retention)
    assert joiner.join([event("demand", 150)]).counts[MODEL][JoinCount.JOINED] == 1
    assert [value for value, *_ in bench.history()] == [1]

"""Most feedback without effect is a finding, which counts it by cause over a day."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from hindsight.labels.joining.effects import EffectCounts, FeedbackEffect
from hindsight.monitoring.label_health.feedback_effects import MIN_EVENTS, FeedbackEffects, effects_of_a_day
from hindsight.monitoring.results.check import Verdict
from hindsight.testing.predictions.effects import InMemoryEffects
from tests.unit.labels.builders import MODEL, NOON, event

WITHOUT_EFFECT = [effect for effect in FeedbackEffect if effect is not FeedbackEffect.COUNTED]


def found(**numbers: int) -> FeedbackEffects:
    return FeedbackEffects(NOON, Counter({FeedbackEffect(name): number for name, number in numbers.items()}))


def stored(*hours: float) -> InMemoryEffects:
    store, counts = InMemoryEffects(), EffectCounts()
    for number in hours:
        counts.add(event("demand", 5, hours=number), FeedbackEffect.COUNTED)
    store.add(counts)
    return store


@pytest.mark.parametrize("effect", WITHOUT_EFFECT)
def test_more_than_half_without_effect_is_low_for_every_cause(effect: FeedbackEffect) -> None:
    verdict, reason = found(counted=19, **{effect.value: 21}).judge()
    assert verdict is Verdict.LOW
    assert reason.startswith("21 of 40 events of a day change no label: 21 ")
    assert found(counted=20, **{effect.value: 20}).judge() == (Verdict.OK, "")


def test_causes_are_named_the_largest_first() -> None:
    effects = found(counted=9, out_of_window=6, unknown_prediction=25)
    assert effects.judge()[1] == (
        "31 of 40 events of a day change no label: 25 wait for predictions that were not logged, "
        "6 occurred outside the windows of their rules"
    )
    assert effects.to_json() == {
        "since": "2026-03-01T12:00:00.000000Z",
        "events": 40,
        "without_effect": 31,
        "by_cause": {"unknown_prediction": 25, "out_of_window": 6},
    }


def test_few_events_give_no_verdict() -> None:
    assert found(duplicate=MIN_EVENTS).judge()[0] is Verdict.LOW
    verdict, reason = found(duplicate=MIN_EVENTS - 1).judge()
    assert verdict is Verdict.INSUFFICIENT
    assert reason == "19 events in a day, fewer than the 20 a verdict needs"


def test_a_day_ends_with_the_present_hour() -> None:
    now = NOON + timedelta(hours=30, minutes=20)
    read = effects_of_a_day(stored(6.9, 7, 30, 31), MODEL, now)
    assert read is not None
    assert (read.since, read.events) == (NOON + timedelta(hours=7), 2)


@pytest.mark.parametrize(("hours", "events"), [(1, 1), (25, 0), (49, None)])
def test_a_day_without_feedback_is_a_result_only_after_one_with_some(hours: int, events: int | None) -> None:
    now: datetime = NOON + timedelta(hours=hours)
    read = effects_of_a_day(stored(0), MODEL, now)
    assert (None if read is None else read.events) == events

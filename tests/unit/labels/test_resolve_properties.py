from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as msgspec_replace

from hindsight.config.labels import ExcludedSource
from hindsight.entities.feedback import Feedback
from hindsight.entities.label import LabelStatus
from hindsight.labels.resolve import resolution, resolve
from tests.unit.labels.builders import at, prediction
from tests.unit.labels.strategies import RuleSet, deliveries, rule_sets

MANY = settings(max_examples=400, deadline=None)
FEW = settings(max_examples=150, deadline=None)
PROGRESS = (LabelStatus.PENDING, LabelStatus.PROVISIONAL, LabelStatus.FINAL)
moments = st.integers(0, 18).map(at)


@MANY
@given(rule_sets(), deliveries(), moments)
def test_label_agrees_with_the_plain_oracle(rules: RuleSet, events: list[Feedback], as_of: datetime) -> None:
    found = resolve(prediction(), events, rules.ready(), as_of)

    assert found == rules.expected(events, as_of)
    assert type(found.value) is type(rules.expected(events, as_of).value)


@FEW
@given(rule_sets(), deliveries(), moments, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_changes_a_label(
    rules: RuleSet, events: list[Feedback], as_of: datetime, random: Any
) -> None:
    shuffled = [*events, *events]
    random.shuffle(shuffled)

    ready = rules.ready()
    assert resolve(prediction(), shuffled, ready, as_of) == resolve(prediction(), events, ready, as_of)


@FEW
@given(rule_sets(), deliveries(), moments)
def test_later_receipts_do_not_change_past_knowledge(rules: RuleSet, events: list[Feedback], as_of: datetime) -> None:
    known = [event for event in events if event.received_at <= as_of]

    ready = rules.ready()
    assert resolve(prediction(), events, ready, as_of) == resolve(prediction(), known, ready, as_of)


@FEW
@given(rule_sets(), deliveries(), moments, st.integers(0, 24))
def test_without_news_a_label_only_ever_gets_surer(
    rules: RuleSet, events: list[Feedback], as_of: datetime, hours: int
) -> None:
    known = [event for event in events if event.received_at <= as_of]
    ready = rules.ready()

    earlier = resolve(prediction(), known, ready, as_of)
    later = resolve(prediction(), known, ready, max(as_of, at(hours)))

    if earlier.status is LabelStatus.CENSORED or earlier.status is LabelStatus.FINAL:
        assert later == earlier
    elif earlier.status is LabelStatus.PROVISIONAL:
        assert (later.value, later.kind, later.event) == (earlier.value, earlier.kind, earlier.event)
        assert PROGRESS.index(later.status) >= PROGRESS.index(earlier.status)


@FEW
@given(rule_sets(), deliveries(), st.integers(0, 18))
def test_between_now_and_the_next_change_the_clock_changes_nothing(
    rules: RuleSet, events: list[Feedback], hours: int
) -> None:
    ready, as_of = rules.ready(), at(hours)
    known = [event for event in events if event.received_at <= as_of]
    change = resolution(prediction(), known, ready, as_of).next_change_at

    before = resolve(prediction(), known, ready, as_of)
    for later in (at(hours + quarter / 4) for quarter in range(80)):
        now = resolve(prediction(), known, ready, later)
        if change is not None and later >= change:
            assert now != before
            break
        assert now == before


@FEW
@given(rule_sets(), deliveries(), moments, st.data())
def test_feedback_of_an_excluded_source_changes_no_label(
    rules: RuleSet, events: list[Feedback], as_of: datetime, data: st.DataObject
) -> None:
    sources = st.sampled_from(["honest", "poisoned", None])
    events = [msgspec_replace(event, source=data.draw(sources)) for event in events]
    since, until = sorted((data.draw(moments), data.draw(moments)))
    excluded = ExcludedSource(source="poisoned", since=since, until=until)
    believed = [event for event in events if event.source != "poisoned" or not since <= event.received_at <= until]

    ready = rules.ready()
    found = resolution(prediction(), events, replace(ready, excluded_sources=(excluded,)), as_of)
    assert found == resolution(prediction(), believed, ready, as_of)

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.capture.feedback import Feedback
from shared.labels.resolve import resolution, resolve
from tests.unit.labels.builders import at, prediction
from tests.unit.labels.oracle import expected_label
from tests.unit.labels.strategies import deliveries, parsed, rule_sets

FEW = settings(max_examples=150, deadline=None)
moments = st.integers(0, 18).map(at)


@FEW
@given(rule_sets(), deliveries(), moments)
def test_a_label_is_what_the_plain_oracle_says(rules: list[dict[str, Any]], events: list[Feedback], as_of: Any) -> None:
    found = resolve(prediction(), events, parsed(rules), as_of)

    expected = expected_label(prediction().occurred_at, events, rules, as_of)
    assert (found.value, found.status.value, found.event) == expected


@FEW
@given(rule_sets(), deliveries(), moments, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_changes_a_label(
    rules: list[dict[str, Any]], events: list[Feedback], as_of: Any, random: Any
) -> None:
    shuffled = [*events, *events]
    random.shuffle(shuffled)

    labels = parsed(rules)
    assert resolve(prediction(), shuffled, labels, as_of) == resolve(prediction(), events, labels, as_of)


@FEW
@given(rule_sets(), deliveries(), moments)
def test_what_is_received_later_does_not_change_what_was_known(
    rules: list[dict[str, Any]], events: list[Feedback], as_of: Any
) -> None:
    known = [event for event in events if event.received_at <= as_of]

    labels = parsed(rules)
    assert resolve(prediction(), events, labels, as_of) == resolve(prediction(), known, labels, as_of)


@FEW
@given(rule_sets(), deliveries(), st.integers(0, 18))
def test_between_now_and_the_next_change_the_clock_changes_nothing(
    rules: list[dict[str, Any]], events: list[Feedback], hours: int
) -> None:
    labels, as_of = parsed(rules), at(hours)
    known = [event for event in events if event.received_at <= as_of]
    change = resolution(prediction(), known, labels, as_of).next_change_at

    before = resolve(prediction(), known, labels, as_of)
    for later in (at(hours + quarter / 4) for quarter in range(80)):
        now = resolve(prediction(), known, labels, later)
        if change is not None and later >= change:
            assert now != before
            break
        assert now == before

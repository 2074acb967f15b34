"""A thousand models, an invocation each: bounded in time and in pace, none missed and none twice."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.core.fan_out import MAX_STARTS_PER_SECOND, FanOut, FanOutFailed
from hindsight.runtime.events.schedules import parse_scope
from hindsight.testing.aws.invocations import InMemoryInvocations

EVENT = {"id": "tick-1", "time": "2026-03-01T12:00:00Z", "detail": "{}"}
CARRYING_ON = ""
RETRIES = 2
THOUSAND = [f"model-{number:04d}" for number in range(1000)]


@dataclass
class Clock:
    """A clock that only waiting moves."""

    now: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


class SlowInvocations(InMemoryInvocations):
    """Each start takes its time, and is noted with the moment at which it began."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        super().__init__()
        self.begun: list[float] = []
        self._clock, self._seconds = clock, seconds

    def start(self, payload: Any) -> None:
        self.begun.append(self._clock.now)
        self._clock.now += self._seconds
        super().start(payload)


def fan_out(invocations: InMemoryInvocations, clock: Clock) -> FanOut:
    return FanOut(invocations=invocations, clock=lambda: clock.now, pause=clock.pause)


def for_seconds(clock: Clock, seconds: float) -> Callable[[], bool]:
    ends = clock.now + seconds
    return lambda: clock.now < ends


def test_each_model_gets_the_event_with_its_moment_and_id() -> None:
    invocations = InMemoryInvocations()
    report = fan_out(invocations, Clock()).start(EVENT, ["a", "b"], lambda: True)
    assert (report.started, report.goes_on_after) == (2, None)
    assert invocations.payloads == [{**EVENT, "detail": {"model": "a"}}, {**EVENT, "detail": {"model": "b"}}]


def test_a_thousand_models_are_started_at_the_rate_within_two_minutes() -> None:
    clock = Clock()
    invocations = SlowInvocations(clock, 0.03)
    fan_out(invocations, clock).start(EVENT, THOUSAND, lambda: True)
    assert invocations.models == THOUSAND
    assert clock.now < 120
    gaps = [later - earlier for earlier, later in zip(invocations.begun, invocations.begun[10:], strict=False)]
    assert min(gaps) >= 10 / MAX_STARTS_PER_SECOND - 1e-6


def test_starts_slower_than_the_rate_are_not_waited_for() -> None:
    clock = Clock()
    fan_out(SlowInvocations(clock, 0.2), clock).start(EVENT, THOUSAND, lambda: True)
    assert clock.pauses == []


@given(st.integers(1, 1000), st.floats(0.05, 60))
def test_a_fan_out_out_of_time_is_carried_on_with_until_no_model_is_left_and_none_comes_twice(
    models: int, seconds: float
) -> None:
    clock = Clock()
    invocations = InMemoryInvocations()
    started, event, rounds = list[str](), dict[str, Any](EVENT), 0
    while True:
        after = parse_scope(event).after
        behind = [model for model in THOUSAND[:models] if model > after]
        report = fan_out(invocations, clock).start(event, behind, for_seconds(clock, seconds))
        started += invocations.models
        rounds += 1
        if report.goes_on_after is None:
            break
        event = invocations.payloads[-1]
        invocations.payloads.clear()
    assert started == THOUSAND[:models]
    assert rounds <= max(2, 2 * models / (seconds * MAX_STARTS_PER_SECOND) + 1)


def test_only_the_models_that_an_event_concerns_get_an_invocation() -> None:
    invocations = InMemoryInvocations()
    fan_out(invocations, Clock()).start(EVENT, ["a", "b", "c"], lambda: True, lambda model: model != "b")
    assert invocations.models == ["a", "c"]


def test_a_refused_start_is_made_behind_the_others() -> None:
    invocations = InMemoryInvocations(refused=["a"])
    assert fan_out(invocations, Clock()).start(EVENT, ["a", "b", "c"], lambda: True).started == 3
    assert invocations.models == ["b", "c", "a"]


def test_a_start_refused_twice_fails_once_all_others_are_made() -> None:
    invocations = InMemoryInvocations(refused=["a", "a"])
    with pytest.raises(FanOutFailed, match="could not start a"):
        fan_out(invocations, Clock()).start(EVENT, ["a", "b", "c"], lambda: True)
    assert invocations.models == ["b", "c"]


def test_out_of_time_a_model_that_is_refused_again_does_not_take_those_behind_it_along() -> None:
    invocations = InMemoryInvocations(refused=["a", "a"])
    answers = iter([True, False])
    with pytest.raises(FanOutFailed, match="could not start a"):
        fan_out(invocations, Clock()).start(EVENT, ["a", "b", "c", "d"], lambda: next(answers))
    assert [payload["detail"] for payload in invocations.payloads] == [{"model": "b"}, {"after": "b"}]


def test_refused_models_are_started_even_where_the_one_that_carries_on_is_refused() -> None:
    invocations = InMemoryInvocations(refused=["a", CARRYING_ON])
    answers = iter([True, False])
    with pytest.raises(FanOutFailed, match="could not start those after b"):
        fan_out(invocations, Clock()).start(EVENT, ["a", "b", "c"], lambda: next(answers))
    assert invocations.models == ["b", "a"]


@given(
    st.integers(1, 8),
    st.lists(st.sampled_from([*THOUSAND[:8], CARRYING_ON]), max_size=20),
    st.lists(st.booleans(), max_size=30),
)
def test_every_model_not_refused_for_good_is_started_in_spite_of_refusals_and_interruptions(
    models: int, refused: list[str], times: list[bool]
) -> None:
    invocations, answers = InMemoryInvocations(refused=list(refused)), iter(times)
    started, waiting = set[str](), [(dict[str, Any](EVENT), 0)]
    while waiting:
        event, attempts = waiting.pop(0)
        behind = [model for model in THOUSAND[:models] if model > parse_scope(event).after]
        try:
            fan_out(invocations, Clock()).start(event, behind, lambda: next(answers, True))
        except FanOutFailed:
            # As Lambda does with an invocation that failed.
            waiting += [(event, attempts + 1)] if attempts < RETRIES else []
        started.update(invocations.models)
        waiting += [(payload, 0) for payload in invocations.payloads if "model" not in payload["detail"]]
        invocations.payloads.clear()
    lost = set(THOUSAND[:models]) - started
    if refused.count(CARRYING_ON) <= RETRIES:
        assert all(refused.count(model) > 1 for model in lost)
    if not refused:
        assert lost == set()

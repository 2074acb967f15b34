"""Any reviewers' calls, in any order and at once: no task gets more answers than it needs, and none gets stuck."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hindsight.config.labels import canonical_text
from hindsight.core.errors import Conflict
from hindsight.review.tasks.task import TaskState
from hindsight.review.tasks.transitions import MAX_SKIPS, live_leases
from tests.unit.labels.builders import MODEL
from tests.unit.review.builders import Desk, configuration, minutes

REVIEWERS = ("ann", "bob", "cid", "dot", "eve")
NAMES = ("p-0", "p-1", "p-2", "p-3")
LEASE_MINUTES = 15


class Queue(RuleBasedStateMachine):
    """A desk, its reviewers and the clock; what each call said is remembered and set against the tasks."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1.0
        self.accepted: dict[tuple[str, str], Any] = {}
        self.hands: dict[tuple[str, str], float] = {}

    @initialize(overlap=st.integers(1, 4), page=st.integers(1, 4))
    def open(self, overlap: int, page: int) -> None:
        self.desk = Desk(configuration(overlap=overlap), page=page)
        self.overlap = overlap
        self.desk.add(*NAMES)

    @rule(reviewer=st.sampled_from(REVIEWERS), limit=st.integers(1, 4))
    def lease(self, reviewer: str, limit: int) -> None:
        for name in self.desk.names(reviewer, limit, self.now):
            assert (reviewer, name) not in self.accepted
            assert self.hands.get((reviewer, name), 0) <= self.now
            self.hands[reviewer, name] = self.now + LEASE_MINUTES

    @rule(reviewer=st.sampled_from(REVIEWERS), name=st.sampled_from(NAMES), value=st.sampled_from([0, 1, None]))
    def say(self, reviewer: str, name: str, value: int | None) -> None:
        holds = self.hands.get((reviewer, name), 0) > self.now
        was = self.desk.task(name).state
        said_before = self.accepted.get((reviewer, name), "nothing")
        try:
            if value is None:
                self.desk.skip(reviewer, name, self.now)
            else:
                self.desk.answer(reviewer, value, name, self.now)
        except Conflict:
            closed = was is not TaskState.OPEN
            may_change = not closed and None not in (said_before, value)
            assert said_before != value
            assert (not holds or closed) if said_before == "nothing" else not may_change
        else:
            changed = None not in (said_before, value) and was is TaskState.OPEN
            assert said_before == value or (holds if said_before == "nothing" else changed)
            self.accepted[reviewer, name] = value
            self.hands.pop((reviewer, name), None)

    @rule(length=st.sampled_from([0.5, 5, 14.5, 15, 16]))
    def wait(self, length: float) -> None:
        self.now += length

    @precondition(lambda self: hasattr(self, "desk"))
    @rule()
    def sweep(self) -> None:
        self.desk.expiry.sweep(MODEL, minutes(self.now), lambda: True)

    @invariant()
    def every_task_is_what_was_said_of_it(self) -> None:
        if not hasattr(self, "desk"):
            return
        for name in NAMES:
            task = self.desk.task(name)
            live = live_leases(task, minutes(self.now))
            assert len(live) <= task.places
            assert not set(live) & set(task.done_by)
            said = {who: value for (who, about), value in self.accepted.items() if about == name}
            assert {answer.reviewer: answer.value for answer in task.answers} == {
                who: value for who, value in said.items() if value is not None
            }
            assert {skip.reviewer for skip in task.skips} == {who for who, value in said.items() if value is None}
            assert len(task.answers) <= self.overlap + 1
            assert (task.state is TaskState.SKIPPED) == (len(task.skips) >= MAX_SKIPS)
            if task.resolution is not None:
                assert len(task.answers) >= self.overlap
        sent = Counter(self.desk.annotations())
        resolved = [task for task in self.desk.tasks.tasks.values() if task.resolution is not None]
        assert sent == Counter((task.task_id, task.resolution.value) for task in resolved if task.resolution)

    @invariant()
    def reviewer_without_an_answer_gets_an_open_task_once_all_leases_have_lapsed(self) -> None:
        if not hasattr(self, "desk"):
            return
        later = minutes(self.now + LEASE_MINUTES)
        found = {
            key.prediction_id
            for page in self.desk.tasks.available(self.desk.configuration.model, "new", later, open_at=None)
            for key in page
        }
        assert found == {task.task_id for task in self.desk.tasks.tasks.values() if task.is_open}


TestQueue = Queue.TestCase
TestQueue.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@settings(deadline=None, max_examples=100)
@given(
    overlap=st.integers(1, 3),
    steps=st.lists(st.tuples(st.sampled_from(REVIEWERS), st.booleans(), st.sampled_from([0, 1])), max_size=12),
    data=st.data(),
)
def test_calls_that_come_between_another_s_read_and_its_write_change_no_outcome(
    overlap: int, steps: list[tuple[str, bool, int]], data: Any
) -> None:
    """Every read of the store lets some of the waiting calls run whole before the reader goes on to write."""
    desk = Desk(configuration(overlap=overlap), page=2)
    desk.add(*NAMES)
    waiting = list(steps)

    def run_one() -> None:
        reviewer, leases, value = waiting.pop(0)
        if leases:
            desk.lease(reviewer, 2)
            return
        for name in NAMES:
            if reviewer in desk.task(name).leases:
                # Who answers twice at once, and differently, may find the task resolved by the first.
                with suppress(Conflict):
                    desk.answer(reviewer, value, name)

    def between() -> None:
        if waiting and data.draw(st.booleans()):
            run_one()

    desk.tasks.between = between
    while waiting:
        run_one()

    for name in NAMES:
        task = desk.task(name)
        assert len(set(task.done_by)) == len(task.done_by)
        assert len(task.leases) <= task.places
        assert (task.resolution is not None) == (len(task.answers) > overlap or _decided(task.answers, overlap))
    assert Counter(name for name, _ in desk.annotations()) == Counter(
        task.task_id for task in desk.tasks.tasks.values() if task.resolution
    )


def _decided(answers: Any, overlap: int) -> bool:
    votes = Counter(canonical_text(answer.label) for answer in answers)
    return len(answers) >= overlap and max(votes.values(), default=0) * 2 > len(answers)


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


@pytest.mark.parametrize("overlap", [1, 2])
def test_twenty_threads_empty_a_thousand_tasks_and_each_is_answered_as_often_as_wanted(overlap: int) -> None:
    desk = Desk(configuration(overlap=overlap), page=100)
    desk.add(*(f"p-{number:04}" for number in range(1000)))
    abandoned = {name for number in range(5) for name in desk.names(f"r-{number}", 10, 0)}

    def work(number: int) -> list[str]:
        taken: list[str] = []
        while held := desk.names(f"r-{number}", 10, 16):
            taken += desk.take(
                *({"task_id": name, "reviewer": f"r-{number}", "value": 1} for name in held), at=17
            ).accepted
        return taken

    taken = Counter(name for names in at_once(20, work) for name in names)

    assert len(abandoned) == 50 if overlap == 1 else len(abandoned) >= 20
    assert set(taken.values()) == {overlap}
    assert len(taken) == 1000
    assert Counter(name for name, _ in desk.annotations()) == dict.fromkeys(taken, 1)
    assert all(len(task.answers) == overlap and task.is_sent for task in desk.tasks.tasks.values())

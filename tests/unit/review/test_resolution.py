"""Resolutions of several answers."""

from typing import Any

import pytest

from hindsight.config.labels import Rule
from hindsight.config.metrics import Task
from hindsight.review.tasks.resolution import resolve_task, verdict
from hindsight.review.tasks.task import TaskState
from hindsight.review.tasks.transitions import answered, leased
from tests.unit.labels.builders import prediction
from tests.unit.review.builders import LEASE, minutes, said, task

PLAIN = Rule(event="annotation")


def decided(*labels: Any, overlap: int, kind: Task = Task.MULTICLASS, rule: Rule = PLAIN) -> Any:
    answers = [said(f"r-{number}", label, number) for number, label in enumerate(labels)]
    found = verdict(answers, overlap, rule, kind)
    return None if found is None else found[1]


@pytest.mark.parametrize(
    ("overlap", "labels", "outcome"),
    [
        (1, [], None),
        (1, ["a"], "a"),
        (2, ["a"], None),
        (2, ["a", "a"], "a"),
        (2, ["a", "b"], None),
        (2, ["a", "b", "b"], "b"),
        (2, ["a", "b", "c"], "c"),
        (3, ["a", "a"], None),
        (3, ["a", "a", "b"], "a"),
        (3, ["b", "a", "a"], "a"),
        (3, ["a", "b", "c"], None),
        (3, ["a", "b", "c", "b"], "b"),
        (4, ["a", "a", "b", "b"], None),
        (4, ["a", "a", "b", "c"], None),
        (4, ["a", "a", "a", "b"], "a"),
        (5, ["a", "b", "a", "c", "a"], "a"),
    ],
)
def test_a_strict_majority_decides_and_without_one_the_adjudicator(
    overlap: int, labels: list[str], outcome: str | None
) -> None:
    assert decided(*labels, overlap=overlap) == outcome


@pytest.mark.parametrize(("overlap", "labels", "outcome"), [(1, [0], 0), (2, [0, 0], 0), (3, [0, 1, 0], 0)])
def test_zero_is_an_answer(overlap: int, labels: list[int], outcome: int) -> None:
    assert decided(*labels, overlap=overlap, kind=Task.BINARY) == outcome


@pytest.mark.parametrize(
    ("labels", "outcome"), [([3.0], 3.0), ([1.0, 4.0], 2.5), ([9.0, 1.0, 2.0], 2.0), ([0.0, 0.0, 8.0, 1.0], 0.5)]
)
def test_of_numbers_the_median_decides(labels: list[float], outcome: float) -> None:
    assert decided(*labels, overlap=len(labels), kind=Task.REGRESSION) == outcome
    assert decided(*labels, overlap=len(labels) + 1, kind=Task.REGRESSION) is None


def test_given_answer_decides_among_values_mapped_to_one_number() -> None:
    rule = Rule(event="annotation", map={"low": 1, "high": 4})
    answers = [said("ann", 4.0, 1, "high"), said("bob", 1.0, 2, "low")]
    assert verdict(answers, 2, rule, Task.REGRESSION) == ("low", 1.0)


def test_the_value_sent_is_one_that_was_given_for_the_winning_label() -> None:
    rule = Rule(event="annotation", map={"up": 1, "yes": 1, "down": 0})
    answers = [said("ann", 0, 1, "down"), said("bob", 1, 2, "yes"), said("cid", 1, 3, "up")]
    assert verdict(answers, 3, rule, Task.BINARY) == ("yes", 1)


def given(*labels: Any, overlap: int) -> Any:
    found = task(overlap=overlap)
    for number, label in enumerate(labels):
        taken = leased(found, f"r-{number}", minutes(number), LEASE)
        assert taken is not None
        found = resolve_task(
            answered(taken, said(f"r-{number}", label, number + 0.5)), PLAIN, Task.BINARY, prediction()
        )
    return found


def test_dispute_opens_one_place_for_another_reviewer() -> None:
    disputed = given(0, 1, overlap=2)
    assert (disputed.is_disputed, disputed.places, disputed.shown_reason) == (True, 1, "adjudication")
    assert leased(disputed, "r-0", minutes(9), LEASE) is None
    judged = given(0, 1, 0, overlap=2)
    assert (judged.state, judged.resolution.label, judged.ratings) == (TaskState.RESOLVED, 0, {"r-0": 0, "r-1": 1})


def test_a_resolution_is_dated_by_the_answer_that_decides() -> None:
    found = given(1, 1, overlap=2)
    assert (found.resolution.at, found.resolution.occurred_at) == (minutes(1.5), minutes(1.5))

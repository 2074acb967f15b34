"""Tasks that expire."""

from itertools import count

from hindsight.review.tasks.task import TaskState
from tests.unit.labels.builders import MODEL
from tests.unit.review.builders import Desk, configuration, minutes


def test_unanswered_tasks_are_closed_and_leased_ones_stay() -> None:
    desk = Desk(configuration(expires="PT10M"), page=2)
    desk.add(*"abcde")
    desk.add("young", at=9)
    desk.lease("ann", 2, at=9)

    report = desk.expiry.sweep(MODEL, minutes(11), lambda: True)

    assert (report.closed, report.is_complete) == (3, True)
    open_tasks = [key.prediction_id for key, task in desk.tasks.tasks.items() if task.is_open]
    assert open_tasks == ["a", "b", "young"]
    assert desk.answer("ann", 1, "a", at=12).accepted == ["a"]

    assert desk.expiry.sweep(MODEL, minutes(30), lambda: True).closed == 2
    assert desk.task("b").state is TaskState.EXPIRED
    assert desk.annotations() == [("a", 1)]


def test_out_of_time_the_rest_is_left_to_the_next_sweep() -> None:
    desk = Desk(configuration(expires="PT10M"), page=2)
    desk.add(*"abcde")
    calls = count()

    report = desk.expiry.sweep(MODEL, minutes(11), lambda: next(calls) < 1)

    assert (report.closed, report.is_complete) == (2, False)
    assert desk.expiry.sweep(MODEL, minutes(11), lambda: True).closed == 3


def test_a_second_sweep_finds_nothing_to_do() -> None:
    desk = Desk(configuration(expires="PT10M"))
    desk.add("a")
    assert desk.expiry.sweep(MODEL, minutes(10), lambda: True).closed == 1
    assert desk.expiry.sweep(MODEL, minutes(10), lambda: True).closed == 0

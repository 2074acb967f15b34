"""Reviewers' answers and their effects."""

from typing import Any

import pytest

from hindsight.core.errors import Conflict, InvalidInput, NotFound, Unavailable
from hindsight.review.tasks import answers
from hindsight.review.tasks.overview import shown_task
from hindsight.review.tasks.task import TaskState
from tests.unit.labels.builders import DEMAND, MODEL, key
from tests.unit.review.builders import Desk, codes, configuration, minutes


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.add("p-1", "p-2", "p-3")
    return desk


def test_one_answer_resolves_a_task_and_is_sent_once(desk: Desk) -> None:
    desk.lease("ann", 1)
    assert desk.answer("ann", 1).to_json() == {"accepted": ["p-1"], "rejected": []}
    assert desk.answer("ann", 1, at=99).accepted == ["p-1"]
    assert (desk.task().state, desk.task().is_sent, desk.annotations()) == (TaskState.RESOLVED, True, [("p-1", 1)])


@pytest.mark.parametrize(("kind", "value"), [("binary", False), ("binary", 0), ("multiclass", ""), ("regression", 0)])
def test_falsy_answer_is_a_value(kind: str, value: Any) -> None:
    desk = Desk(configuration(task=kind))
    desk.add("p-1")
    desk.lease("ann")
    desk.answer("ann", value)
    assert desk.annotations() == [("p-1", value)]
    assert type(desk.annotations()[0][1]) is type(value)


def test_good_answers_are_taken_and_others_reported_by_item(desk: Desk) -> None:
    desk.lease("ann", 2)
    desk.lease("bob", 1)
    receipt = desk.take(
        {"task_id": "p-2", "reviewer": "ann", "value": 1},
        {"task_id": "p-1", "reviewer": "ann", "value": "sideways"},
        {"task_id": "p-3", "reviewer": "ann", "value": 1},
        {"task_id": "nowhere", "reviewer": "ann", "value": 1},
        {"task_id": "p-3", "reviewer": "bob", "skip": True},
    )
    assert receipt.accepted == ["p-2", "p-3"]
    assert codes(receipt) == [(1, "invalid"), (2, "conflict"), (3, "not_found")]
    assert [rejection.fault.path for rejection in receipt.in_order()] == [
        "answers[1].value",
        "answers[2].task_id",
        "answers[3].task_id",
    ]
    assert desk.annotations() == [("p-2", 1)]


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"task_id": "p-1", "reviewer": "ann"}, "answers[0].value"),
        ({"task_id": "p-1", "reviewer": "ann", "skip": False}, "answers[0].value"),
        ({"task_id": "p-1", "reviewer": "ann", "value": 1, "skip": True}, "answers[0].skip"),
        ({"task_id": "p-1", "reviewer": "ann", "value": None}, "answers[0].value"),
        ({"task_id": "p-1", "reviewer": "ann", "value": [1]}, "answers[0].value"),
        ({"task_id": "p-1", "reviewer": "ann", "value": 2}, "answers[0].value"),
        ({"task_id": "p-1", "reviewer": "a ", "value": 1}, "answers[0].reviewer"),
        ({"task_id": "", "reviewer": "ann", "value": 1}, "answers[0].task_id"),
        ({"task_id": "p-1", "reviewer": "ann", "value": 1, "note": ""}, "answers[0].note"),
        ({"task_id": "p-1", "reviewer": "ann", "value": 1, "comment": ""}, "answers[0].comment"),
        ({"task_id": "p-1", "reviewer": "ann", "skip": True, "comment": "x" * 1001}, "answers[0].comment"),
        ({"reviewer": "ann", "value": 1}, "answers[0].task_id"),
        (7, "answers[0]"),
    ],
)
def test_an_answer_that_cannot_be_read_is_named_by_its_path(desk: Desk, item: Any, path: str) -> None:
    desk.lease("ann")
    with pytest.raises(InvalidInput) as refused:
        desk.take(item)
    assert refused.value.faults[0].path == path
    assert desk.task().answers == ()


@pytest.mark.parametrize("value", [1e31, "x" * 1025])
def test_answer_that_no_feedback_could_carry_is_refused(value: Any) -> None:
    desk = Desk(configuration(task="multiclass"))
    desk.add("p-1")
    desk.lease("ann")
    with pytest.raises(InvalidInput):
        desk.answer("ann", value)
    assert desk.annotations() == []


def test_call_without_accepted_answers_fails_with_its_gravest_error(desk: Desk) -> None:
    desk.lease("ann")
    unknown = {"task_id": "nowhere", "reviewer": "ann", "value": 1}
    bad = {"task_id": "p-1", "reviewer": "ann", "value": 5}
    not_leased = {"task_id": "p-1", "reviewer": "bob", "value": 1}
    with pytest.raises(NotFound):
        desk.take(unknown)
    with pytest.raises(InvalidInput):
        desk.take(unknown, bad)
    with pytest.raises(Conflict) as refused:
        desk.take(unknown, bad, not_leased)
    assert [fault.path for fault in refused.value.faults] == [
        "answers[0].task_id",
        "answers[1].value",
        "answers[2].task_id",
    ]


def test_answer_after_a_lapsed_lease_is_a_conflict_even_if_the_task_is_free(desk: Desk) -> None:
    desk.lease("ann", 1)
    with pytest.raises(Conflict):
        desk.answer("ann", 1, at=16)
    assert desk.annotations() == []


def test_lapsed_lease_is_a_conflict_for_its_answer_and_the_others_go_through(desk: Desk) -> None:
    desk.lease("ann", 1)
    desk.lease("ann", 2, at=10)
    given = [{"task_id": name, "reviewer": "ann", "value": 1} for name in ("p-1", "p-2", "p-3")]
    receipt = desk.take(*given, at=16)
    assert (receipt.accepted, codes(receipt)) == (["p-2", "p-3"], [(0, "conflict")])
    assert "lapsed at" in receipt.rejected[0].fault.message
    assert desk.annotations() == [("p-2", 1), ("p-3", 1)]


def test_changed_answer_resolves_the_task_as_it_is_in_the_end() -> None:
    desk = Desk(configuration(overlap=2))
    desk.add("p-1")
    for reviewer in ("ann", "bob"):
        desk.lease(reviewer)
    desk.answer("ann", 1)
    assert desk.answer("ann", 0, at=3).accepted == desk.answer("ann", 0, at=4).accepted == ["p-1"]
    desk.answer("bob", 0, at=5)
    assert ([answer.value for answer in desk.task().answers], desk.annotations()) == ([0, 0], [("p-1", 0)])
    with pytest.raises(Conflict, match="resolved"):
        desk.answer("ann", 1, at=6)


def test_changed_answer_ends_a_dispute_and_the_adjudicator_comes_too_late() -> None:
    desk = Desk(configuration(overlap=2))
    desk.add("p-1")
    for reviewer, value in (("ann", 1), ("bob", 0)):
        desk.lease(reviewer)
        desk.answer(reviewer, value)
    desk.lease("cid", at=3)
    desk.answer("ann", 0, at=4)
    assert (desk.task().state, desk.annotations()) == (TaskState.RESOLVED, [("p-1", 0)])
    # When the deciding answer came, wherever it stands.
    assert desk.stream.events[0].received_at == minutes(4)
    with pytest.raises(Conflict, match="closed"):
        desk.answer("cid", 1, at=5)


def test_comments_are_kept_with_answers_and_skips(desk: Desk) -> None:
    desk.lease("ann", 2)
    desk.take(
        {"task_id": "p-1", "reviewer": "ann", "value": 1, "comment": "a clear case"},
        {"task_id": "p-2", "reviewer": "ann", "skip": True, "comment": "no picture"},
    )
    shown = shown_task(desk.task("p-1"))["answers"], shown_task(desk.task("p-2"))["skips"]
    assert [[(one["reviewer"], one["comment"]) for one in part] for part in shown] == [
        [("ann", "a clear case")],
        [("ann", "no picture")],
    ]


def test_another_value_after_the_task_was_resolved_is_a_conflict(desk: Desk) -> None:
    desk.lease("ann", 1)
    desk.answer("ann", 1)
    with pytest.raises(Conflict):
        desk.answer("ann", 0)
    assert desk.annotations() == [("p-1", 1)]


def test_several_answers_to_one_task_in_one_call_count_each() -> None:
    desk = Desk(configuration(overlap=3))
    desk.add("p-1")
    for reviewer in ("ann", "bob", "cid"):
        desk.lease(reviewer)
    given = [{"task_id": "p-1", "reviewer": reviewer, "value": 1} for reviewer in ("ann", "bob", "cid")]
    receipt = desk.take(*given, given[0], {**given[0], "value": 0})
    assert receipt.accepted == ["p-1"] * 4
    assert codes(receipt) == [(4, "conflict")]
    assert (len(desk.task().answers), desk.annotations()) == (3, [("p-1", 1)])


def test_a_crash_before_the_feedback_was_sent_is_healed_by_the_same_answer(desk: Desk) -> None:
    desk.lease("ann", 1)
    desk.stream.is_down = True
    with pytest.raises(Unavailable):
        desk.answer("ann", 1)
    assert (desk.task().state, desk.task().is_sent) == (TaskState.RESOLVED, False)

    desk.stream.is_down = False
    assert desk.answer("ann", 1, at=60).accepted == ["p-1"]

    assert (desk.task().is_sent, desk.annotations()) == (True, [("p-1", 1)])
    assert desk.stream.events[0].received_at == minutes(2)


def test_a_crash_before_the_feedback_was_sent_is_healed_by_the_clock(desk: Desk) -> None:
    desk.lease("ann", 1)
    desk.stream.is_down = True
    with pytest.raises(Unavailable):
        desk.answer("ann", 1)
    desk.stream.is_down = False

    report = desk.expiry.sweep(MODEL, minutes(60), lambda: True)

    assert (report.sent, report.is_complete, desk.annotations(), desk.task().is_sent) == (1, True, [("p-1", 1)], True)
    assert desk.expiry.sweep(MODEL, minutes(120), lambda: True).sent == 0


def test_sent_twice_it_is_the_same_event(desk: Desk) -> None:
    desk.lease("ann", 1)

    def crash(_: Any) -> Any:
        raise Unavailable("gone")

    kept, desk.tasks.save = desk.tasks.save, lambda tasks: crash(tasks) if tasks[0].is_sent else kept(tasks)  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        desk.answer("ann", 1)
    desk.tasks.save = kept  # type: ignore[method-assign]
    desk.answer("ann", 1, at=50)

    first, second = desk.stream.lines
    assert first == second


def test_answer_that_lost_a_race_is_recorded_on_the_winner_s_result() -> None:
    desk = Desk(configuration(overlap=2))
    desk.add("p-1")
    desk.lease("ann")
    desk.lease("bob")

    def between() -> None:
        desk.tasks.between = lambda: None
        desk.answer("bob", 1)

    desk.tasks.between = between
    assert desk.answer("ann", 1).accepted == ["p-1"]
    assert ([answer.reviewer for answer in desk.task().answers], desk.annotations()) == (["bob", "ann"], [("p-1", 1)])


def test_an_answer_that_keeps_losing_is_not_acknowledged(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_ROUNDS", 3)
    desk.lease("ann", 1)

    def between() -> None:
        desk.tasks.tasks[key("p-1")] = desk.task().counted_on()

    desk.tasks.between = between
    with pytest.raises(Unavailable):
        desk.answer("ann", 1)
    assert desk.annotations() == []


def test_task_of_a_missing_prediction_is_unknown_and_reveals_nothing(desk: Desk) -> None:
    desk.lease("ann", 1)
    del desk.labels._predictions[key("p-1")]
    with pytest.raises(NotFound):
        desk.answer("ann", 1)
    assert desk.annotations() == []


def test_without_a_rule_that_reads_answers_none_is_taken(desk: Desk) -> None:
    desk.lease("ann", 1)
    desk.configuration = configuration(DEMAND)
    with pytest.raises(Conflict, match="manual"):
        desk.answer("ann", 1)


def test_disagreeing_answers_are_decided_by_a_third_and_sent_once() -> None:
    desk = Desk(configuration(overlap=2))
    desk.add("p-1")
    for reviewer, value in (("ann", 1), ("bob", 0)):
        desk.lease(reviewer)
        desk.answer(reviewer, value)
    assert desk.annotations() == []
    desk.lease("cid", at=3)
    desk.answer("cid", 0, at=4)
    assert (desk.annotations(), [answer.reviewer for answer in desk.task().answers]) == (
        [("p-1", 0)],
        ["ann", "bob", "cid"],
    )


def test_three_skips_close_a_task_without_an_annotation(desk: Desk) -> None:
    for number, reviewer in enumerate(("ann", "bob", "cid")):
        desk.lease(reviewer, 1, at=number)
        desk.skip(reviewer, at=number + 0.5)
    assert (desk.task().state, desk.annotations()) == (TaskState.SKIPPED, [])
    assert desk.skip("ann", at=9).accepted == ["p-1"]

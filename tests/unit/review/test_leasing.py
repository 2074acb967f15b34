"""Leases of tasks to reviewers."""

import pytest

from hindsight.review.tasks import leasing
from hindsight.validation.timestamps import ClientTimestamps
from tests.unit.labels.builders import ANNOTATION, DEMAND, RETENTION, key, prediction
from tests.unit.review.builders import Desk, configuration, minutes, sample


def test_the_oldest_tasks_come_first_and_no_task_twice() -> None:
    desk = Desk(page=2)
    desk.add("a", "b", "c", "d", "e")
    assert desk.names("ann", 2) == ["a", "b"]
    assert desk.names("bob", 2) == ["c", "d"]
    assert desk.names("ann", 2) == ["e"]
    assert desk.names("bob", 2) == []


def test_a_task_is_shown_with_its_prediction_and_how_long_it_is_held() -> None:
    desk = Desk()
    desk.add("a")
    [held] = desk.lease("ann")
    assert held.to_json() == {
        "task_id": "a",
        "prediction_id": "a",
        "features": {"hour": "17", "temperature": 0.3},
        "model_version": "v1",
        "occurred_at": "2026-03-01T12:00:00.000000Z",
        "reason": "audit",
        "lease_expires_at": "2026-03-01T12:16:00.000000Z",
        "values": [0, 1],
    }


def test_score_decision_and_probabilities_are_shown_where_review_is_not_blind() -> None:
    desk = Desk(configuration(blind=False))
    desk.add("a")
    [held] = desk.lease("ann")
    shown = held.to_json()
    assert (shown["score"], shown["decision"]) == (0.7, 1)


def test_lapsed_lease_makes_its_task_available_without_a_call() -> None:
    desk = Desk()
    desk.add("a", "b")
    desk.lease("ann", 1)
    assert desk.names("bob", 1) == ["b"]
    assert desk.names("cid", at=15.9) == []
    assert desk.names("cid", at=16) == ["a", "b"]


def test_reviewer_with_a_lapsed_lease_may_lease_the_task_again() -> None:
    desk = Desk()
    desk.add("a")
    desk.lease("ann")
    assert desk.names("ann", at=20) == ["a"]


def test_lapsed_tasks_come_before_untouched_ones() -> None:
    desk = Desk()
    desk.add("a", "b", "c")
    desk.lease("ann", 1)
    assert desk.names("bob", at=30) == ["a", "b", "c"]


def test_dispute_comes_first_with_the_answers_and_without_their_reviewers() -> None:
    desk = Desk(configuration(overlap=2))
    desk.add("b")
    for reviewer, value in (("ann", 1), ("bob", 0)):
        desk.lease(reviewer)
        desk.answer(reviewer, value, "b")
    desk.add("a", at=-5)
    [first, second] = desk.lease("cid", at=3)
    assert (first.task.task_id, first.to_json()["reason"], first.to_json()["answers"]) == ("b", "adjudication", [1, 0])
    assert "ann" not in str(first.to_json())
    assert "answers" not in second.to_json()
    assert desk.names("ann", at=4) == ["a"]


def test_a_task_whose_prediction_is_gone_is_passed_over() -> None:
    desk = Desk()
    desk.add("a", "b")
    del desk.labels._predictions[key("a")]
    assert desk.names("ann", 1) == ["b"]


def test_an_expired_task_is_not_offered() -> None:
    desk = Desk(configuration(expires="PT10M"))
    desk.add("a")
    desk.add("b", at=5)
    assert desk.names("ann", at=10) == ["b"]
    assert desk.names("bob", at=15) == []


def test_tasks_dated_by_clients_are_not_closed_by_the_request_s_clock() -> None:
    desk = Desk(configuration(expires="PT10M"), trust=ClientTimestamps.TRUSTED)
    desk.add("past")
    desk.add("future", at=60 * 24 * 365)
    assert desk.names("ann", at=60 * 24 * 30) == ["past", "future"]


def test_another_model_s_tasks_are_not_offered() -> None:
    desk = Desk()
    desk.labels.save(prediction("a", model="other"), RETENTION)
    desk.tasks.add([sample("a", model="other")], desk.configuration)
    assert desk.names("ann") == []


def test_without_a_rule_that_reads_answers_nothing_is_handed_out() -> None:
    desk = Desk()
    desk.add("a")
    desk.configuration = configuration(DEMAND)
    assert desk.names("ann") == []
    desk.configuration = configuration(ANNOTATION)
    assert desk.names("ann") == ["a"]


def test_slower_reviewer_gets_other_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    names = [f"p-{number:02}" for number in range(40)]
    desk.add(*names)
    faster: list[str] = []

    def between() -> None:
        desk.tasks.between = lambda: None
        faster.extend(desk.names("bob", 5))

    desk.tasks.between = between
    mine = desk.names("ann", 5)
    assert faster == names[:5]
    assert len(mine) == 5
    assert not set(mine) & set(faster)


def test_reviewers_who_competed_for_a_task_get_different_next_ones() -> None:
    keys = [key(f"p-{number}") for number in range(100)]
    starts = {leasing._from_another_point(keys, f"reviewer-{number}", minutes(1))[0] for number in range(20)}
    assert len(starts) > 12
    assert set(leasing._from_another_point(keys, "ann", minutes(1))) == set(keys)
    assert leasing._from_another_point([], "ann", minutes(1)) == []


def test_an_answer_holds_no_more_tasks_than_it_can_carry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leasing, "MAX_LEASED_BYTES", 400)
    desk = Desk()
    desk.add("a", "b", "c", "d")
    assert desk.names("ann") == ["a", "b"]
    assert desk.names("bob") == ["c", "d"]


def test_queue_without_work_for_a_reviewer_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leasing, "MAX_PAGES", 2)
    desk = Desk(configuration(overlap=2), page=2)
    desk.add(*"abcdefgh")
    assert desk.names("ann", 4) == ["a", "b", "c", "d"]
    assert desk.names("ann", 4) == []


def test_a_lease_is_as_long_as_the_configuration_says() -> None:
    desk = Desk(configuration(lease="PT2S"))
    desk.add("a")
    [held] = desk.lease("ann", at=0)
    assert held.until == minutes(2 / 60)

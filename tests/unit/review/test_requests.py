"""Predictions that an operator wants reviewed, and tasks that an operator opens again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hindsight.core.errors import Conflict, InvalidInput, NotFound, TooLarge, Unavailable
from hindsight.entities.label import LabelStatus
from hindsight.labels.resolve import resolve
from hindsight.review.requests.reopenings import Reopenings
from hindsight.review.requests.requested_tasks import RequestedReviews
from hindsight.review.selection.sample import SampleReason
from hindsight.review.tasks.outbox import Outbox
from hindsight.review.tasks.overview import shown_task
from hindsight.review.tasks.task import QueuePartition, ReviewTask, TaskState, queue_partition_of
from hindsight.review.tasks.transitions import MAX_REOPENINGS, expired
from hindsight.validation.items import Receipt
from tests.unit.labels.builders import ANNOTATION, DEMAND, MODEL, RETENTION, event, key, prediction, ready
from tests.unit.review.builders import Desk, codes, configuration, minutes, sample

ACTOR = "key:operator"


class Office(Desk):
    """A review desk with an operator."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.requests = RequestedReviews(self.tasks, self.labels, self.trust)
        self.reopenings = Reopenings(self.tasks, self.labels, Outbox(self.tasks, self.stream), self.trust)

    def keep(self, *names: str) -> None:
        """Keep predictions that were not sampled."""
        for name in names:
            self.labels.save(prediction(name), RETENTION)

    def request(self, *names: Any, at: float = 1, **body: Any) -> Receipt:
        return self.requests.take(self.configuration, {"prediction_ids": list(names), **body}, minutes(at), ACTOR)

    def reopen(self, task_id: str = "p-1", at: float = 10, **body: Any) -> ReviewTask:
        return self.reopenings.take(self.configuration, task_id, body, now=minutes(at), actor=ACTOR)

    def resolve(self, reviewer: str, value: int, at: float) -> None:
        self.lease(reviewer, 1, at)
        self.answer(reviewer, value, at=at)


@pytest.fixture
def office() -> Office:
    office = Office()
    office.keep("p-1", "p-2", "p-3")
    return office


def test_named_predictions_become_tasks_that_reviewers_lease(office: Office) -> None:
    assert office.request("p-2", "p-1", reason="disputed").to_json() == {"accepted": ["p-2", "p-1"], "rejected": []}
    made = office.task("p-1")
    assert (made.reason, made.selection_probability, made.state) == (SampleReason.REQUESTED, None, TaskState.OPEN)
    assert made.closes_at == minutes(1) + office.configuration.review.expires
    assert shown_task(made)["request"] == {
        "actor": ACTOR,
        "reason": "disputed",
        "at": "2026-03-01T12:01:00.000000Z",
    }
    [held] = office.lease("ann", 1, at=2)
    assert held.to_json()["reason"] == "requested"
    assert office.answer("ann", 1, held.task.task_id, at=3).accepted == [held.task.task_id]
    assert office.labels.predictions([key("p-1")])[key("p-1")].selection_probability is None


def test_each_prediction_that_is_not_taken_is_named_with_its_cause(office: Office) -> None:
    office.request("p-1")
    receipt = office.request("p-2", "nowhere", "p-1", "p-2", "a ", 7)
    assert receipt.accepted == ["p-2"]
    assert codes(receipt) == [(1, "not_found"), (2, "conflict"), (3, "conflict"), (4, "invalid"), (5, "invalid")]
    said = {rejection.index: (rejection.fault.path, rejection.fault.message) for rejection in receipt.rejected}
    assert said[2] == ("prediction_ids[2]", "has an open task")
    assert said[3] == ("prediction_ids[3]", "is named twice")


def test_request_whose_every_id_is_no_id_is_invalid(office: Office) -> None:
    with pytest.raises(InvalidInput) as refused:
        office.request("a ", None)
    assert [fault.path for fault in refused.value.faults] == ["prediction_ids[0]", "prediction_ids[1]"]
    assert office.request("nowhere").to_json()["accepted"] == []


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, InvalidInput),
        ({"prediction_ids": []}, InvalidInput),
        ({"prediction_ids": "p-1"}, InvalidInput),
        ({"prediction_ids": ["p-1"], "reason": ""}, InvalidInput),
        ({"prediction_ids": ["p-1"], "reason": "x" * 501}, InvalidInput),
        ({"prediction_ids": ["p-1"] * 501}, TooLarge),
    ],
)
def test_malformed_request_makes_no_task(office: Office, body: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        office.requests.take(office.configuration, body, minutes(1), ACTOR)
    assert office.tasks.tasks == {}


def test_task_that_closed_without_an_answer_is_offered_again_and_keeps_its_probability() -> None:
    office = Office(configuration(expires="PT1H"))
    office.add("p-1", "p-2")
    closed = expired(office.task("p-1"), minutes(60))
    assert closed is not None
    office.tasks.save([closed])
    for number, reviewer in enumerate(("ann", "bob", "cid")):
        office.lease(reviewer, 1, at=number)
        office.skip(reviewer, "p-2", at=number + 0.5)
    assert {office.task(name).state for name in ("p-1", "p-2")} == {TaskState.EXPIRED, TaskState.SKIPPED}
    assert office.request("p-1", "p-2", at=70).accepted == ["p-1", "p-2"]
    again = office.task("p-2")
    assert (again.reason, again.selection_probability, again.skips) == (SampleReason.AUDIT, 0.25, ())
    assert set(office.names("ann", at=71)) == {"p-1", "p-2"}


def test_resolved_task_is_not_asked_for_again_but_reopened(office: Office) -> None:
    office.request("p-1")
    office.resolve("ann", 1, at=2)
    receipt = office.request("p-1", at=3)
    assert [rejection.fault.message for rejection in receipt.rejected] == ["was reviewed; its task can be reopened"]


def test_task_that_another_request_made_meanwhile_is_an_open_one(office: Office) -> None:
    def between() -> None:
        office.tasks.between = lambda: None
        office.request("p-1")

    office.tasks.between = between
    receipt = office.request("p-1", "p-2")
    assert (receipt.accepted, codes(receipt)) == (["p-2"], [(0, "conflict")])


def test_request_without_a_rule_that_reads_answers_is_a_conflict(office: Office) -> None:
    office.configuration = configuration(DEMAND)
    with pytest.raises(Conflict, match="manual"):
        office.request("p-1")
    with pytest.raises(Conflict, match="manual"):
        office.reopen()


def test_reopened_task_retracts_its_annotation_and_the_label_falls_back(office: Office) -> None:
    office.request("p-1")
    office.resolve("ann", 1, at=2)
    reopened = office.reopen(at=10, reason="the guidelines changed")
    assert (office.task().state, office.task().answers, office.task().resolution) == (TaskState.OPEN, (), None)
    assert [(sent.feedback_id, sent.name, sent.value) for sent in office.stream.events] == [
        ("review:p-1", "annotation", 1),
        ("review:p-1:1:retracted", "retracted", "review:p-1"),
    ]
    [ended] = shown_task(office.task())["reopenings"]
    assert (ended["actor"], ended["reason"], ended["retraction_sent"]) == (ACTOR, "the guidelines changed", True)
    assert (ended["resolved"]["value"], ended["answers"][0]["reviewer"]) == (1, "ann")
    assert reopened.key == office.task().key

    spoken = [event("demand", 150, hours=0), *office.stream.events]
    known = ready(ANNOTATION, {**DEMAND, "positive": {"greater_than": 200}})
    labels = [resolve(prediction(), spoken, known, minutes(at)) for at in (5, 10)]
    assert [(label.kind, label.value) for label in labels] == [("manual", 1), ("outcome", 0)]
    assert labels[1].status is LabelStatus.FINAL


def test_reopened_task_is_answered_anew_by_the_same_reviewer_with_an_annotation_of_its_own(office: Office) -> None:
    office.request("p-1")
    office.resolve("ann", 1, at=2)
    office.reopen(at=10)
    office.resolve("ann", 0, at=11)
    office.reopen(at=20)
    assert [(sent.feedback_id, sent.value) for sent in office.stream.events] == [
        ("review:p-1", 1),
        ("review:p-1:1:retracted", "review:p-1"),
        ("review:p-1:2", 0),
        ("review:p-1:2:retracted", "review:p-1:2"),
    ]
    assert len(office.task().reopenings) == 2


def test_retraction_that_could_not_be_sent_is_sent_by_the_same_request_or_the_clock(office: Office) -> None:
    for name in ("p-1", "p-2"):
        office.request(name)
        office.lease("ann", 1)
        office.answer("ann", 1, name)
        office.stream.is_down = True
        with pytest.raises(Unavailable):
            office.reopen(name)
        office.stream.is_down = False
        # No reviewer gets the task while its annotation still counts.
        assert office.names("bob", at=11) == []
        assert queue_partition_of(office.task(name)) == (QueuePartition.UNSENT, minutes(10))
        if name == "p-1":
            office.reopen(name, at=12)
        else:
            assert office.expiry.sweep(MODEL, minutes(12), lambda: True).sent == 1
        assert office.names("bob", at=13) == [name]
    retracted = [sent for sent in office.stream.events if sent.name == "retracted"]
    assert [sent.received_at for sent in retracted] == [minutes(10), minutes(10)]


def test_annotation_of_a_clock_ahead_is_retracted_no_earlier_than_it_was_received(office: Office) -> None:
    office.request("p-1")
    office.resolve("ann", 1, at=9)
    office.reopen(at=5)
    assert office.stream.events[-1].received_at == minutes(9)


@pytest.mark.parametrize("state", ["open", "skipped", "expired"])
def test_task_that_is_not_resolved_is_not_reopened(state: str) -> None:
    office = Office()
    office.add("p-1")
    if state != "open":
        office.tasks.tasks[key("p-1")] = replace(office.task(), state=TaskState(state))
    with pytest.raises(Conflict, match=f"the task (is|was) {state}"):
        office.reopen()
    assert office.stream.events == []


def test_task_is_reopened_ten_times_at_most(office: Office) -> None:
    office.request("p-1")
    for number in range(MAX_REOPENINGS):
        office.resolve("ann", 1, at=10 * number + 2)
        office.reopen(at=10 * number + 5)
    office.resolve("ann", 1, at=200)
    with pytest.raises(Conflict, match="10 times"):
        office.reopen(at=201)


def test_unknown_task_or_one_whose_prediction_is_gone_is_not_found(office: Office) -> None:
    with pytest.raises(NotFound):
        office.reopen("p-3")
    office.request("p-1")
    office.resolve("ann", 1, at=2)
    del office.labels._predictions[key("p-1")]
    with pytest.raises(NotFound):
        office.reopen()


def test_prediction_that_was_asked_for_is_not_sampled_any_more(office: Office) -> None:
    office.request("p-1")
    assert office.tasks.add([sample("p-1")], office.configuration) == 0
    assert office.task().reason is SampleReason.REQUESTED


def test_of_two_who_reopen_one_task_at_once_both_find_it_opened_once(office: Office) -> None:
    office.request("p-1")
    office.resolve("ann", 1, at=2)

    def between() -> None:
        office.tasks.between = lambda: None
        office.reopen(at=10)

    office.tasks.between = between
    with pytest.raises(Conflict, match="the task is open"):
        office.reopen(at=10 + timedelta(seconds=1) / timedelta(minutes=1))
    assert len(office.task().reopenings) == 1

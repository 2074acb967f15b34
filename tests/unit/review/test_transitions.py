"""Every change of a task, and every one that is refused."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hindsight.core.errors import Conflict
from hindsight.review.tasks.task import QueuePartition, Resolution, ReviewTask, TaskState, queue_partition_of
from hindsight.review.tasks.transitions import answered, expired, leased, resolved, sent, skipped
from tests.unit.review.builders import LEASE, minutes, said, skip, task

RESOLUTION = Resolution(value=1, label=1, event="annotation", occurred_at=minutes(2), at=minutes(2))


def held(reviewer: str = "ann", at: float = 1, of: ReviewTask | None = None) -> ReviewTask:
    found = leased(of or task(), reviewer, minutes(at), LEASE)
    assert found is not None
    return found


def test_a_free_task_is_leased_for_the_length_of_a_lease() -> None:
    assert held().leases == {"ann": minutes(16)}


def test_a_task_whose_only_place_is_taken_is_not_leased() -> None:
    assert leased(held(), "bob", minutes(2), LEASE) is None
    assert leased(held(), "ann", minutes(2), LEASE) is None


def test_a_lease_lapses_at_the_very_moment_it_names() -> None:
    assert leased(held(), "bob", minutes(16) - timedelta(microseconds=1), LEASE) is None
    assert held("bob", 16, held()).leases == {"bob": minutes(31)}
    assert held("ann", 16, held()).leases == {"ann": minutes(31)}


def test_an_overlapping_task_has_as_many_places_as_answers_are_wanted() -> None:
    both = held("bob", 2, held(of=task(overlap=2)))
    assert set(both.leases) == {"ann", "bob"}
    assert leased(both, "cid", minutes(3), LEASE) is None
    assert set(held("cid", 16, both).leases) == {"bob", "cid"}


def test_reviewer_does_not_get_a_task_they_answered_or_skipped() -> None:
    given = answered(held(of=task(overlap=3)), said("ann", 1, 2))
    given = skipped(held("bob", 3, given), skip("bob", 4))
    assert leased(given, "ann", minutes(5), LEASE) is None
    assert leased(given, "bob", minutes(5), LEASE) is None
    assert leased(given, "cid", minutes(5), LEASE) is not None


def test_an_answer_gives_the_lease_back() -> None:
    given = answered(held(of=task(overlap=2)), said("ann", 1, 2))
    assert (given.leases, given.answers, given.places) == ({}, (said("ann", 1, 2),), 1)


@pytest.mark.parametrize("at", [16, 17])
def test_an_answer_after_the_lease_lapsed_is_refused(at: float) -> None:
    with pytest.raises(Conflict, match="lapsed at"):
        answered(held(), said("ann", 1, at))
    with pytest.raises(Conflict, match="lapsed at"):
        skipped(held(), skip("ann", at))


def test_an_answer_without_a_lease_is_refused() -> None:
    for found in (task(), held("bob"), held("bob", 16, held())):
        with pytest.raises(Conflict, match="not leased to this reviewer"):
            answered(found, said("ann", 1, 17))
        with pytest.raises(Conflict, match="not leased to this reviewer"):
            skipped(found, skip("ann", 17))


def test_the_same_answer_again_changes_nothing_whenever_it_comes() -> None:
    given = answered(held(of=task(overlap=2)), said("ann", 1, 2))
    assert answered(given, said("ann", True, 99)) is given
    closed = resolved(given, RESOLUTION)
    assert answered(closed, said("ann", 1, 99)) is closed


def test_another_answer_of_the_same_reviewer_takes_the_place_of_the_earlier_one_without_a_lease() -> None:
    given = answered(held(of=task(overlap=3)), said("ann", 1, 2))
    given = answered(held("bob", 3, given), said("bob", 1, 4))
    changed = answered(given, said("ann", 0, 99))
    assert changed.answers == (said("ann", 0, 99), said("bob", 1, 4))
    remarked = replace(said("ann", 0, 100), comment="the photo is blurred")
    assert answered(changed, remarked).answers[0] == remarked
    with pytest.raises(Conflict, match="cannot be skipped"):
        skipped(given, skip("ann", 5))


def test_no_answer_is_changed_once_the_task_is_resolved() -> None:
    closed = resolved(answered(held(), said("ann", 1, 2)), RESOLUTION)
    for other in (said("ann", 0, 3), replace(said("ann", 1, 3), comment="on second thoughts")):
        with pytest.raises(Conflict, match="is closed: it was resolved"):
            answered(closed, other)


def test_reviewer_who_skipped_cannot_answer_and_may_skip_again() -> None:
    passed = skipped(held(), skip("ann", 2))
    assert passed.leases == {}
    assert skipped(passed, skip("ann", 99)) is passed
    with pytest.raises(Conflict, match="was skipped by this reviewer"):
        answered(passed, said("ann", 1, 3))


def test_the_third_skip_closes_the_task() -> None:
    found = task()
    for number, reviewer in enumerate(("ann", "bob", "cid"), start=1):
        assert found.state is TaskState.OPEN
        found = skipped(held(reviewer, number, found), skip(reviewer, number + 0.5))
    assert (found.state, queue_partition_of(found)) == (TaskState.SKIPPED, None)
    assert leased(found, "dot", minutes(9), LEASE) is None


def test_a_closed_task_takes_no_answer() -> None:
    closed = resolved(held(), RESOLUTION)
    with pytest.raises(Conflict, match="is closed: it was resolved"):
        answered(closed, said("ann", 1, 3))


def test_task_expires_when_its_time_is_over_unless_it_is_leased() -> None:
    closes = replace(task(), closes_at=minutes(10))
    assert expired(closes, minutes(9)) is None
    assert expired(held(of=closes), minutes(10)) is None
    gone = expired(held(of=closes), minutes(16))
    assert gone is not None
    assert (gone.state, gone.leases, queue_partition_of(gone)) == (TaskState.EXPIRED, {}, None)
    assert expired(gone, minutes(99)) is None
    with pytest.raises(Conflict, match="has expired"):
        answered(gone, said("ann", 1, 17))


def test_a_live_lease_may_still_answer_after_the_task_s_time() -> None:
    closes = replace(task(), closes_at=minutes(10))
    assert answered(held(of=closes), said("ann", 1, 12)).answers


def test_task_is_indexed_under_the_queues_of_its_possible_reviewers() -> None:
    open_task = task(overlap=2)
    assert queue_partition_of(open_task) == (QueuePartition.FREE, minutes(0))
    one = held(of=open_task)
    assert queue_partition_of(one) == (QueuePartition.FREE, minutes(0))
    both = held("bob", 3, one)
    assert queue_partition_of(both) == (QueuePartition.LEASED, minutes(16))
    disputed = answered(answered(both, said("ann", 1, 4)), said("bob", 0, 5))
    assert queue_partition_of(disputed) == (QueuePartition.ADJUDICATION, minutes(0))
    assert queue_partition_of(held("cid", 6, disputed)) == (QueuePartition.LEASED, minutes(21))
    closed = resolved(disputed, RESOLUTION)
    assert queue_partition_of(closed) == (QueuePartition.UNSENT, minutes(2))
    assert queue_partition_of(sent(closed)) == (QueuePartition.OVERLAPPING, minutes(2))


def test_task_resolved_by_one_reviewer_is_in_no_queue() -> None:
    assert queue_partition_of(sent(resolved(answered(held(), said("ann", 1, 2)), RESOLUTION))) == (
        QueuePartition.RESOLVED,
        minutes(2),
    )

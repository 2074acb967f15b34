"""Every way a review task can change: pure, from one state of the task to the next."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hindsight.core.errors import Conflict
from hindsight.core.times import format_time
from hindsight.labels.resolve import shifted
from hindsight.review.tasks.task import (
    Answer,
    Reopening,
    Resolution,
    ReviewAudit,
    ReviewTask,
    Skip,
    TaskState,
)

MAX_SKIPS = 3
MAX_REOPENINGS = 10


def live_leases(task: ReviewTask, now: datetime) -> dict[str, datetime]:
    """Select the leases that have not lapsed; one lapses at the very moment it names."""
    return {reviewer: until for reviewer, until in task.leases.items() if now < until}


def leased(task: ReviewTask, reviewer: str, now: datetime, length: timedelta) -> ReviewTask | None:
    """Lease the task to a reviewer, None if they cannot have it.

    No reviewer gets a task they hold, answered or skipped, nor one whose places are all taken by live leases.
    """
    live = live_leases(task, now)
    if len(live) >= task.places or reviewer in live or reviewer in task.done_by:
        return None
    return replace(task, leases={**live, reviewer: shifted(now, length)})


def answered(task: ReviewTask, answer: Answer) -> ReviewTask:
    """Add an answer to the task, in place of the reviewer's earlier one; the same answer again changes nothing.

    An earlier answer needs no lease to be changed: it has given its own back. Raises Conflict without a live lease of a
    reviewer who did not answer yet, if they skipped the task, and once the task is closed.
    """
    known = _answer_of(task, answer.reviewer)
    if known is None:
        leases = _without_lease(task, answer.reviewer, answer.at)
        return replace(task, leases=leases, answers=(*task.answers, answer))
    if (known.label, known.comment) == (answer.label, answer.comment):
        return task
    _require_open(task)
    # In its place: who answered before the adjudicator, and without knowing the others' answers, stays so.
    return replace(task, answers=tuple(answer if given is known else given for given in task.answers))


def skipped(task: ReviewTask, skip: Skip) -> ReviewTask:
    """Take the task from a reviewer, who does not get it again; close it if they are the last to be asked.

    Raises Conflict without a live lease of the reviewer, and if they answered before.
    """
    if any(known.reviewer == skip.reviewer for known in task.skips):
        return task
    if _answer_of(task, skip.reviewer) is not None:
        raise Conflict("was answered by this reviewer and cannot be skipped any more; the answer can be changed")
    leases = _without_lease(task, skip.reviewer, skip.at)
    skips = (*task.skips, skip)
    if len(skips) >= MAX_SKIPS:
        return _closed(task, TaskState.SKIPPED, skips=skips)
    return replace(task, leases=leases, skips=skips)


def resolved(task: ReviewTask, resolution: Resolution) -> ReviewTask:
    """Resolve the task."""
    return replace(task, state=TaskState.RESOLVED, resolution=resolution, leases={})


def sent(task: ReviewTask) -> ReviewTask:
    """Mark a task whose feedback is durable: its annotation, and the retractions of those before."""
    reopenings = tuple(replace(reopening, is_sent=True) for reopening in task.reopenings)
    return replace(task, is_sent=task.resolution is not None, reopenings=reopenings)


def reopened(task: ReviewTask, audit: ReviewAudit, length: timedelta) -> ReviewTask:
    """Open a resolved task again, for all reviewers; its annotation is to be retracted. Raises Conflict for another."""
    if task.resolution is None:
        raise Conflict("is open" if task.is_open else f"was {task.state.value}, not resolved; request its review")
    if len(task.reopenings) >= MAX_REOPENINGS:
        raise Conflict(f"was opened again {MAX_REOPENINGS} times")
    # A clock that is behind must not retract an annotation before it was received.
    at = max(audit.at, task.resolution.at)
    ended = Reopening(audit=replace(audit, at=at), answers=task.answers, resolution=task.resolution)
    return replace(
        _opened(task, at, length),
        answers=(),
        resolution=None,
        is_sent=False,
        reopenings=(*task.reopenings, ended),
    )


def requested(task: ReviewTask, audit: ReviewAudit, length: timedelta) -> ReviewTask:
    """Offer a task again that closed without an answer. Raises Conflict for one that is open or resolved."""
    if task.is_open:
        raise Conflict("has an open task")
    if task.resolution is not None:
        raise Conflict("was reviewed; its task can be reopened")
    return replace(_opened(task, audit.at, length), request=audit)


def expired(task: ReviewTask, now: datetime) -> ReviewTask | None:
    """Close the task without an answer; None while it is not time or a reviewer holds it."""
    if not task.is_open or now < task.closes_at or live_leases(task, now):
        return None
    return _closed(task, TaskState.EXPIRED)


def _answer_of(task: ReviewTask, reviewer: str) -> Answer | None:
    return next((given for given in task.answers if given.reviewer == reviewer), None)


def _require_open(task: ReviewTask) -> None:
    if not task.is_open:
        raise Conflict(
            f"is closed: it was {task.state.value}" if task.state is not TaskState.EXPIRED else "has expired"
        )


def _without_lease(task: ReviewTask, reviewer: str, now: datetime) -> Mapping[str, datetime]:
    _require_open(task)
    if any(known.reviewer == reviewer for known in task.skips):
        raise Conflict("was skipped by this reviewer and is left to others")
    until = task.leases.get(reviewer)
    if until is None:
        raise Conflict("is not leased to this reviewer; the lease may have lapsed and the task been given to another")
    if until <= now:
        raise Conflict(f"is no longer leased to this reviewer: the lease lapsed at {format_time(until)}")
    return {other: end for other, end in live_leases(task, now).items() if other != reviewer}


def _opened(task: ReviewTask, at: datetime, length: timedelta) -> ReviewTask:
    return replace(task, state=TaskState.OPEN, skips=(), closes_at=shifted(at, length))


def _closed(task: ReviewTask, state: TaskState, **changes: Any) -> ReviewTask:
    return replace(task, state=state, leases={}, **changes)

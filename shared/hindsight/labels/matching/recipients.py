"""The predictions that an event by entity or reference labels, and until when: pure, whatever came first."""

from bisect import insort
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from hindsight.config.labels import Match
from hindsight.entities.feedback import FOR_EVER

MAX_MATCHED = 100
"""Predictions that one event labels at most: a batch of recommendations, never a customer's whole history."""


class Candidate(Struct, frozen=True, order=True, gc=False):
    """A prediction of a key, by the order in which it was made; ``prediction_id`` breaks ties."""

    occurred_at: datetime
    prediction_id: str
    received_at: datetime


class Recipient(Struct, frozen=True, gc=False):
    """A candidate to which an event is given in a way of matching, and until when: ``FOR_EVER``, or others came first.

    ``place`` counts the candidates that go before it.
    """

    candidate: Candidate
    until: datetime
    way: str
    place: int


def capacity(match: Match) -> int:
    """Compute how many of the predictions whose window holds an event it labels.

    >>> capacity(Match.LAST), capacity(Match.ALL)
    (1, 100)
    """
    return MAX_MATCHED if match is Match.ALL else 1


def recipients(
    candidates: Iterable[Candidate], room: int, way: str, *, lost_by: datetime | None = None
) -> list[Recipient]:
    """Match an event with the candidates whose window holds it, those that go first first.

    At any moment the event labels the first ``room`` of the candidates received by then: a candidate loses it when so
    many that go before it have been received. That depends on what was received when, and on no order of arrival here.
    The list ends with the first that lost it by ``lost_by``: all behind lost it by then.

    >>> from datetime import UTC
    >>> came = datetime(2026, 3, 9, tzinfo=UTC)
    >>> made = [Candidate(datetime(2026, 3, day, tzinfo=UTC), f"p-{day}", came) for day in (2, 1)]
    >>> [(found.candidate.prediction_id, found.until.day) for found in recipients(made, 1, "last/P7D/PT2M")]
    [('p-2', 31), ('p-1', 9)]
    """
    found, earliest, until = list[Recipient](), list[datetime](), FOR_EVER
    for place, candidate in enumerate(candidates):
        found.append(Recipient(candidate, until, way, place))
        if lost_by is not None and until <= lost_by:
            break
        insort(earliest, candidate.received_at)
        del earliest[room:]
        if len(earliest) == room:
            until = earliest[-1]
    return found

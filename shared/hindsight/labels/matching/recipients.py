"""The predictions that an event by entity or reference labels, and until when: pure, whatever came first."""

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec import Struct

from hindsight.config.labels import Match
from hindsight.entities.feedback import FOR_EVER

MAX_MATCHED = 100
"""Predictions that one event labels at most: a batch of recommendations, never a customer's whole history."""

MOST_CANDIDATES = 3 * MAX_MATCHED
"""Predictions of a key that are looked at for one event: those it can label, and those that lost it to later ones."""

# Before Python 3.12 the class looks its members up slowly.
_ALL = Match.ALL

NEVER = datetime.min.replace(tzinfo=UTC)
"""A moment by which nothing has happened."""


class Candidate(Struct, frozen=True, order=True, gc=False):
    """A prediction of a key, by the order in which it was made; ``prediction_id`` breaks ties."""

    occurred_at: datetime
    prediction_id: str
    received_at: datetime


Ends = dict[str, datetime]
"""Until when predictions have an event, by id, those that go first first: ``FOR_EVER``, or others came first."""


def capacity(match: Match) -> int:
    """Compute how many of the predictions whose window holds an event it labels.

    >>> capacity(Match.LAST), capacity(Match.ALL)
    (1, 100)
    """
    return MAX_MATCHED if match is _ALL else 1


def recipients(candidates: Iterable[Candidate], room: int, *, lost_by: datetime = NEVER) -> Ends:
    """Match an event with the candidates whose window holds it, those that go first first.

    At any moment the event labels the first ``room`` of the candidates received by then: a candidate loses it when so
    many that go before it have been received. That depends on what was received when, and on no order of arrival here.
    With ``lost_by`` the last one is the first that lost it by then: all behind lost it no later.

    >>> came = datetime(2026, 3, 9, tzinfo=UTC)
    >>> made = [Candidate(datetime(2026, 3, day, tzinfo=UTC), f"p-{day}", came) for day in (2, 1)]
    >>> {name: until.day for name, until in recipients(made, 1).items()}
    {'p-2': 31, 'p-1': 9}
    """
    ends: Ends = {}
    earliest = [FOR_EVER] * room
    for candidate in candidates:
        until = ends[candidate.prediction_id] = earliest[-1]
        if until <= lost_by:
            break
        if candidate.received_at < until:
            earliest[-1] = candidate.received_at
            earliest.sort()
    return ends

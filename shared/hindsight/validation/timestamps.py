"""Bounds on the times that clients send."""

from datetime import datetime, timedelta
from enum import StrEnum

from hindsight.core.errors import InvalidInput
from hindsight.core.times import in_calendar, parse_time

MAX_AHEAD = timedelta(minutes=5)


class ClientTimestamps(StrEnum):
    """The trust in clients' times: they count as the times things were received, or the receiver's clock does.

    ``TRUSTED`` believes any time (simulations), ``PAST`` any that has passed (an operator's import of history).
    """

    BOUNDED = "bounded"
    TRUSTED = "trusted"
    PAST = "past"


def settle_times(
    occurred_at: str | None, received_at: str | None, *, now: datetime, trust: ClientTimestamps, path: str
) -> tuple[datetime, datetime]:
    """Compute when something occurred and when it was received.

    With trusted timestamps the received time is the one the client sent, else the time of occurrence; of the past
    neither may lie after ``now``. Otherwise it is ``now``, and nothing may have occurred more than five minutes after
    it: a date in the future would hold its window open, and its partition hostage, until then.
    Raises InvalidInput with the path at fault.
    """
    occurred = parse_at(occurred_at, f"{path}.occurred_at") if occurred_at is not None else None
    if trust is not ClientTimestamps.BOUNDED:
        received = parse_at(received_at, f"{path}.received_at") if received_at is not None else occurred or now
        if trust is ClientTimestamps.PAST:
            for name, moment in (("occurred_at", occurred), ("received_at", received)):
                if moment is not None and moment > now:
                    raise InvalidInput.at(f"{path}.{name}", "lies in the future")
        return occurred or received, received
    if received_at is not None:
        raise InvalidInput.at(f"{path}.received_at", "is only read where client timestamps are trusted")
    if occurred is not None and occurred - now > MAX_AHEAD:
        raise InvalidInput.at(f"{path}.occurred_at", "lies more than five minutes in the future")
    return occurred or now, now


def parse_at(text: str, path: str) -> datetime:
    """Read the moment a text names. Raises InvalidInput with the path at fault."""
    try:
        return in_calendar(parse_time(text))
    except InvalidInput as error:
        raise InvalidInput.at(path, error.message) from error

"""Moments: aware datetimes in UTC inside, RFC 3339 text outside."""

from datetime import UTC, datetime, timedelta

from hindsight.core.errors import InvalidInput

NOT_A_TIME = "must be an RFC 3339 time with an offset, such as 2026-03-01T12:00:00Z"
_EARLIEST, _LATEST = datetime(1000, 1, 1, tzinfo=UTC), datetime(9900, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def parse_time(text: object) -> datetime:
    """Parse the moment an RFC 3339 text with an offset names, in UTC.

    Raises InvalidInput for anything else, also for a time without an offset: it could be any of 24 moments.

    >>> parse_time("2026-03-01T13:00:00+01:00")
    datetime.datetime(2026, 3, 1, 12, 0, tzinfo=datetime.timezone.utc)
    """
    if not isinstance(text, str) or not 20 <= len(text) <= 40 or text[10] not in "Tt":
        raise InvalidInput(NOT_A_TIME)
    try:
        moment = datetime.fromisoformat(text.upper())
        if moment.tzinfo is None:
            raise InvalidInput("must carry an offset, such as Z or +01:00")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(NOT_A_TIME) from error


def in_calendar(moment: datetime) -> datetime:
    """Check a moment from outside: windows, delays and retention have to fit behind it. Raises InvalidInput.

    >>> in_calendar(datetime(9999, 12, 31, tzinfo=UTC))
    Traceback (most recent call last):
    ...
    hindsight.core.errors.InvalidInput: must lie between the years 1000 and 9900
    """
    if not _EARLIEST <= moment < _LATEST:
        raise InvalidInput("must lie between the years 1000 and 9900")
    return moment


def format_time(moment: datetime) -> str:
    """Format a moment as RFC 3339 in UTC with microseconds: of one length, so that texts sort as moments do.

    >>> format_time(datetime(2026, 3, 1, 12, tzinfo=UTC))
    '2026-03-01T12:00:00.000000Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def microseconds(moment: datetime) -> int:
    """Convert a moment to microseconds since 1970, exactly.

    >>> microseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(count: int) -> datetime:
    """Find the moment so many microseconds after 1970."""
    return _EPOCH + count * _MICROSECOND


def moment_text(count: int) -> str:
    """Format microseconds since 1970 as RFC 3339 text.

    >>> moment_text(microseconds(datetime(2026, 3, 1, 12, tzinfo=UTC)))
    '2026-03-01T12:00:00.000000Z'
    """
    return format_time(moment_of(count))


def moment_name(moment: datetime) -> str:
    """Format a moment as a part of a name, without the characters that keys and addresses mind.

    >>> moment_name(datetime(2026, 3, 1, 12, tzinfo=UTC))
    '20260301T120000Z'
    """
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def hour_of(moment: datetime) -> datetime:
    """Compute the beginning of a moment's hour, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)

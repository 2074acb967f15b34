"""The common parts of operators' requests: a reason, perhaps the days they are about, and their moment."""

from datetime import UTC, date, datetime, time
from typing import Annotated

from pydantic import Field

from hindsight.config.types import DAY
from hindsight.core.errors import InvalidInput
from hindsight.core.times import NOT_A_TIME, in_calendar, parse_time
from hindsight.validation.items import RequestItem, TimeText
from hindsight.validation.timestamps import ClientTimestamps, parse_at

MAX_REQUEST_BYTES = 16 * 1024
_DAY_LENGTH = len("2026-03-01")

Reason = Annotated[str, Field(min_length=1, max_length=500)]
DayText = Annotated[str, Field(pattern=DAY)]


class TimedRequest(RequestItem):
    """A request; its ``occurred_at`` is read where client timestamps are trusted."""

    occurred_at: TimeText | None = None

    def moment(self, now: datetime, trust: ClientTimestamps) -> datetime:
        """Compute when the request counts as made: now, or when trusted, at its own moment. Raises InvalidInput."""
        claimed = parse_at(self.occurred_at, "occurred_at") if self.occurred_at is not None else now
        return claimed if trust is ClientTimestamps.TRUSTED else now


class OperatorRequest(TimedRequest):
    """A request with its reason."""

    reason: Reason


class DaysRequest(OperatorRequest):
    """A request about some days, both ends included; without them it is about all."""

    first_day: Annotated[DayText | None, Field(alias="from")] = None
    last_day: Annotated[DayText | None, Field(alias="to")] = None

    def days(self) -> tuple[date | None, date | None]:
        """Read the first and the last day. Raises InvalidInput with the path at fault."""
        first, last = day_of(self.first_day, "from"), day_of(self.last_day, "to")
        if first and last and first > last:
            raise InvalidInput.at("from", "lies after to")
        return first, last


def day_of(text: str | None, path: str) -> date | None:
    """Read the day a text names, None of none. Raises InvalidInput with the path at fault."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidInput.at(path, "must be a day of the calendar, such as 2026-03-01") from None
    parse_at(f"{day}T00:00:00Z", path)
    return day


def queried_moment(text: str | None, path: str, of_day: time) -> datetime | None:
    """Read the moment, or that of a day, which a query names, None of none. Raises InvalidInput."""
    if text is None:
        return None
    if len(text) == _DAY_LENGTH and (day := day_of(text, path)) is not None:
        return datetime.combine(day, of_day, UTC)
    try:
        return in_calendar(parse_time(text))
    except InvalidInput as error:
        a_day = "" if error.message != NOT_A_TIME else ", or a day, such as 2026-03-01"
        raise InvalidInput.in_query(path, error.message + a_day) from error

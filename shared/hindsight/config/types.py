"""Building blocks of the configuration: strict objects, ISO 8601 durations, probabilities, names."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from hindsight.core.errors import Fault, InvalidInput
from hindsight.core.times import in_calendar, parse_time

MODEL_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
NO_MODEL_NAME = "must be 1 to 64 letters, digits, _ and -, the first a letter or a digit"
EVENT_NAME = r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$"
NO_MOMENT_OR_DAY = "must be a time with an offset, such as 2026-03-01T12:00:00Z, or a day, such as 2026-03-01"
DAY = r"^\d{4}-\d{2}-\d{2}$"
# What cannot be seen: controls, marks of direction, what has no width. Joiners belong to letters and emoji.
_UNSEEN = (
    r"\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff9-\ufffb"
    r"\ufffe\uffff"
)
_BLANKS = r"\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
IDENTIFIER = f"^[^{_UNSEEN}{_BLANKS}](?:[^{_UNSEEN}]{{0,126}}[^{_UNSEEN}{_BLANKS}])?$"
"""Ids of all kinds, by code point, independent of the Unicode tables of Python, Rust or a client."""
NO_IDENTIFIER = "must be 1 to 128 printable characters, without blanks at either end"
FEATURE_NAME = r"^[^\x00-\x1f\x7f]{1,128}$"

_DURATION = re.compile(
    r"^P(?=\d|T\d)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?$"
)
_MAX = timedelta(days=3660)
_IS_IDENTIFIER = re.compile(IDENTIFIER).fullmatch
# Sums of squares of larger numbers may overflow; beyond 3e38 they do not fit the single precision of decision trees.
MAX_NUMBER = 1e30
OUT_OF_RANGE = f"must lie from {-MAX_NUMBER:g} to {MAX_NUMBER:g}"


def is_identifier(text: str) -> bool:
    r"""Check whether a text can be an id: no two of them are the same but for every byte.

    >>> [is_identifier(text) for text in ("V1StGXR8_Z5jdHi6B-myT", "-a/b#c %25", "Zoë 👩‍🚀", "", " a", "a\n")]
    [True, True, True, False, False, False]
    """
    return _IS_IDENTIFIER(text) is not None


def parse_duration(text: object) -> timedelta:
    """Parse an ISO 8601 duration of weeks, days, hours, minutes and seconds.

    Years and months are refused: their length depends on the date they are added to.

    >>> parse_duration("P1DT12H")
    datetime.timedelta(days=1, seconds=43200)
    """
    match = _DURATION.match(text) if isinstance(text, str) and len(text) <= 40 else None
    if match is None:
        raise ValueError("must be an ISO 8601 duration such as P7D or PT15M (weeks, days, hours, minutes, seconds)")
    parts = {unit: int(value) for unit, value in match.groupdict().items() if value}
    if any(value > _MAX.total_seconds() for value in parts.values()) or (length := timedelta(**parts)) > _MAX:
        raise ValueError("must not be longer than ten years")
    return length


def format_duration(length: timedelta) -> str:
    """Format a duration in canonical ISO 8601.

    >>> format_duration(timedelta(days=1, hours=12))
    'P1DT12H'
    """
    hours, seconds = divmod(length.seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    days = f"{length.days}D" if length.days else ""
    clock = "".join(f"{value}{unit}" for value, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if value)
    return f"P{days}T{clock}" if clock else f"P{days or '0D'}"


def _duration(value: object) -> timedelta:
    return value if isinstance(value, timedelta) else parse_duration(value)


def _positive(length: timedelta) -> timedelta:
    if not length:
        raise ValueError("must be longer than zero")
    return length


Duration = Annotated[timedelta, BeforeValidator(_duration), PlainSerializer(format_duration, return_type=str)]
PositiveDuration = Annotated[
    timedelta,
    BeforeValidator(lambda value: _positive(_duration(value))),
    PlainSerializer(format_duration, return_type=str),
]


def _in_calendar(moment: datetime) -> datetime:
    try:
        return in_calendar(moment)
    except InvalidInput as error:
        raise ValueError(error.message) from error


def _moment(value: object, *, at: str) -> datetime:
    """Parse a moment, or a day whose moment ``at`` is meant."""
    if isinstance(value, datetime):
        return value
    try:
        return parse_time(f"{value}T{at}" if isinstance(value, str) and re.match(DAY, value) else value)
    except InvalidInput as error:
        raise ValueError(NO_MOMENT_OR_DAY) from error


Moment = Annotated[AwareDatetime, AfterValidator(_in_calendar)]
_MOMENT_OR_DAY = WithJsonSchema({"anyOf": [{"type": "string", "format": form} for form in ("date-time", "date")]})
FirstMoment = Annotated[Moment, BeforeValidator(partial(_moment, at="00:00:00Z")), _MOMENT_OR_DAY]
"""A moment, or a day from its start in UTC."""
LastMoment = Annotated[Moment, BeforeValidator(partial(_moment, at="23:59:59.999999Z")), _MOMENT_OR_DAY]
"""A moment, or a day to its end in UTC."""
Number = Annotated[float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)]
Fraction = Annotated[float, Field(ge=0, le=1)]
OpenFraction = Annotated[float, Field(gt=0, lt=1)]
EventName = Annotated[str, Field(pattern=EVENT_NAME)]


class InconsistentFields(ValueError):
    """Fields that are valid alone contradict each other; ``faults`` name paths from the section on."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.path}: {fault.message}" for fault in faults))
        self.faults = tuple(faults)


def require_consistent(faults: Iterable[Fault]) -> None:
    """Check that a section has no faults. Raises InconsistentFields."""
    if found := list(faults):
        raise InconsistentFields(found)


def rivals(section: BaseModel, names: Sequence[str], *, required: bool) -> list[Fault]:
    """List the faults of fields of which one may be given: those beside the first, or all missing though required."""
    given = [name for name in names if getattr(section, name) is not None]
    if required and not given:
        return [Fault("", f"needs exactly one of {', '.join(names)}")]
    return [Fault(name, f"cannot be given with {given[0]}") for name in given[1:]]


class Section(BaseModel):
    """A part of the configuration: immutable, no unknown fields, no NaN, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)

"""A cell's text as a value of its declared type: nothing is guessed from what a column holds."""

import re
from datetime import UTC, datetime

from hindsight.config.features import FeatureType
from hindsight.config.labels import canonical_text
from hindsight.config.metrics import Task
from hindsight.config.model import ModelConfiguration
from hindsight.core.errors import InvalidInput
from hindsight.core.times import in_calendar
from hindsight.entities.feedback import FeedbackValue
from hindsight.entities.prediction import FeatureValue
from hindsight.labels.mapping import unreadable_value

_TRUE, _FALSE = frozenset({"1", "true", "t", "yes", "y"}), frozenset({"0", "false", "f", "no", "n"})
# Python's float() also reads 1_000, nan and infinity.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WITH_COMMAS = re.compile(r"[+-]?[\d.]*(,\d+)+\.?\d*", re.ASCII)


class UnreadableCell(Exception):
    """A cell does not hold a value of its column's type."""


def feature_of(text: str, kind: FeatureType) -> FeatureValue:
    """Read a feature. Raises UnreadableCell.

    >>> feature_of("01234", FeatureType.CATEGORICAL), feature_of("1e3", FeatureType.NUMERIC)
    ('01234', 1000.0)
    """
    if kind is FeatureType.CATEGORICAL:
        return text
    return _boolean(text) if kind is FeatureType.BOOLEAN else _number(text)


def outcome_of(text: str, event: str, configuration: ModelConfiguration) -> FeedbackValue:
    """Read an outcome as a value that a rule of the event can read: a number, a boolean or text.

    Where text is asked for, by classes or by a rule that names texts, it is read as text if it can be. Raises
    UnreadableCell where no reading fits.
    """
    readings: list[FeedbackValue] = []
    if _NUMBER.fullmatch(text.strip()):
        readings.append(_plain_number(text))
    elif text.strip().lower() in _TRUE | _FALSE:
        readings.append(_boolean(text))
    readings.insert(0 if _asks_for_text(event, configuration) else len(readings), text)
    for reading in readings:
        fault = unreadable_value(event, reading, configuration.labels, configuration.task)
        if fault is None:
            return reading
    raise UnreadableCell(f"{text!r} {fault.message if fault else 'is no value'}")


def _asks_for_text(event: str, configuration: ModelConfiguration) -> bool:
    rules = [rule for rule in configuration.labels.rules if rule.event == event]
    names_texts = any(rule.map or (rule.positive and isinstance(rule.positive.equals, str)) for rule in rules)
    return names_texts or configuration.task is Task.MULTICLASS


def moment_of(text: str) -> datetime:
    """Read a time of ISO 8601; without an offset it is UTC's, a day is its midnight. Raises UnreadableCell.

    >>> moment_of("2026-03-01 06:30").isoformat()
    '2026-03-01T06:30:00+00:00'
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        return in_calendar((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC))
    except InvalidInput as error:
        raise UnreadableCell(f"{text!r} {error.message}") from error
    except (ValueError, OverflowError) as error:
        raise UnreadableCell(f"{text!r} is no time such as 2026-03-01T12:00:00Z or 2026-03-01") from error


def _boolean(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered not in _TRUE | _FALSE:
        raise UnreadableCell(f"{text!r} is not a boolean: none of true, false, yes, no, t, f, y, n, 1, 0")
    return lowered in _TRUE


def _number(text: str) -> float:
    if _NUMBER.fullmatch(text.strip()):
        return float(text)
    if _WITH_COMMAS.fullmatch(text.strip()):
        raise UnreadableCell(f"{text!r} is not a number: write its decimals after a point, and no separator elsewhere")
    raise UnreadableCell(f"{text!r} is not a number; if it stands for a missing one, list it under `missing`")


def _plain_number(text: str) -> int | float:
    number = float(text)
    return int(canonical_text(number)) if number.is_integer() and abs(number) <= 2**53 else number

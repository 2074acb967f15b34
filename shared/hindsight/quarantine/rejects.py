"""Reasons why feedback was not joined, and the lines by which capture passes on its rejects."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from hindsight.config.types import MODEL_NAME
from hindsight.core.errors import InvalidInput, shortened
from hindsight.core.times import parse_time

REJECTED = "rejected"
_MODEL = re.compile(MODEL_NAME).fullmatch


class RejectCode(StrEnum):
    """The reason why something is in quarantine."""

    MALFORMED = "malformed"
    UNKNOWN_MODEL = "unknown_model"
    INVALID = "invalid"
    CONFLICT = "conflict"
    UNMATCHED = "unmatched"
    RATE_LIMITED = "rate_limited"
    TOO_MANY_PREDICTIONS = "too_many_predictions"


@dataclass(frozen=True, slots=True)
class Reject:
    """The reason why a line of feedback cannot be joined.

    What capture rejected brings its own ``model``, ``received_at`` and ``text`` (the item as it was sent, or as much
    of it as is kept); of any other line the line itself is what there is to keep.
    """

    code: RejectCode
    reason: str
    path: str | None = None
    model: str | None = None
    received_at: datetime | None = None
    text: str | None = None
    is_truncated: bool = False


def passed_on(row: Mapping[str, Any]) -> Reject | None:
    """Read the reject a row of a feedback file passes on, None if it is no such row.

    Raises ValueError for one that is not as capture writes it.
    """
    if REJECTED not in row:
        return None
    rejected, model, text = row[REJECTED], row.get("model"), row.get("text")
    if not isinstance(rejected, dict) or rejected.get("code") != RejectCode.INVALID or not isinstance(text, str):
        raise ValueError(f"{REJECTED}: is not a reject as capture writes it")
    try:
        received_at = parse_time(row.get("received_at"))
    except InvalidInput as error:
        raise ValueError(f"received_at: {error.message}") from error
    return Reject(
        code=RejectCode.INVALID,
        reason=shortened(rejected.get("reason")),
        path=shortened(rejected.get("path")),
        model=model if is_model_name(model) else None,
        received_at=received_at,
        text=text,
        is_truncated=row.get("truncated") is True,
    )


def model_in(text: str) -> str | None:
    """Read the model a line that was not taken names, None if no valid name can be read.

    >>> model_in('{"model": "bikes", "value": [1]}'), model_in('{"model": "../../secret"}'), model_in("{")
    ('bikes', None, None)
    """
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        return None
    model = row.get("model") if isinstance(row, dict) else None
    return model if is_model_name(model) else None


def is_model_name(value: object) -> bool:
    """Check whether a value could be a model's name."""
    return isinstance(value, str) and _MODEL(value) is not None

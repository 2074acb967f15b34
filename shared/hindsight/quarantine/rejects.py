"""Reasons why items were not taken, and the lines by which the calls that take items pass on their rejects."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from hindsight.config.types import MODEL_NAME
from hindsight.core import compact_json
from hindsight.core.errors import InvalidInput, shortened
from hindsight.core.times import format_time, parse_time
from hindsight.validation.items import CONFLICT, INVALID, Rejection

REJECTED = "rejected"
MAX_REJECTED_TEXT = 4096
PASSED_ON = (INVALID, CONFLICT)
# What an erasure finds an item by. Longer ones are no ids.
_IDS = ("entity_id", "prediction_id", "reference")
_MAX_ID = 128
_MODEL = re.compile(MODEL_NAME).fullmatch


class RowKind(StrEnum):
    """The kind of row that something in quarantine would have become."""

    FEEDBACK = "feedback"
    PREDICTION = "prediction"


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
    """The reason why a line of a feedback file cannot be joined.

    What a call rejected brings its own ``kind``, ``model``, ``received_at`` and ``text`` (the item as it was sent, or
    as much of it as is kept); of any other line the line itself is what there is to keep.
    """

    code: RejectCode
    reason: str
    kind: RowKind = RowKind.FEEDBACK
    path: str | None = None
    model: str | None = None
    received_at: datetime | None = None
    text: str | None = None
    is_truncated: bool = False


def rejected_line(kind: RowKind, model: str, rejection: Rejection, item: object, now: datetime) -> bytes:
    """Write an item that a call did not take as one line of the feedback files; the join quarantines it.

    Of a long item the first ``MAX_REJECTED_TEXT`` characters are kept, its ids before all else; no token ever is.
    """
    kept = {name: value for name, value in item.items() if name != "token"} if isinstance(item, dict) else item
    text = compact_json.dumps_as_sent(kept)
    row: dict[str, Any] = {
        "model": model,
        "kind": kind.value,
        REJECTED: {
            "code": rejection.code,
            "reason": shortened(rejection.fault.message),
            "path": shortened(rejection.fault.path.partition(f"[{rejection.index}]")[2].removeprefix(".")),
        },
        "received_at": format_time(now),
        "text": text if len(text) <= MAX_REJECTED_TEXT else _ids_first(kept, text)[:MAX_REJECTED_TEXT],
    }
    if len(text) > MAX_REJECTED_TEXT:
        row["truncated"] = True
    return compact_json.dumps(row).encode() + b"\n"


def _ids_first(item: object, text: str) -> str:
    """Write an item's ids before its other fields: an erasure must find what is kept of a large item by them."""
    if not isinstance(item, dict):
        return text
    ids = {name: item[name] for name in _IDS if isinstance(item.get(name), str | int)}
    ids = {name: value for name, value in ids.items() if len(str(value)) <= _MAX_ID}
    others = {name: value for name, value in item.items() if name not in ids}
    return f"{compact_json.dumps(ids)[:-1]},{compact_json.dumps_as_sent(others)[1:]}" if ids and others else text


def passed_on(row: Mapping[str, Any]) -> Reject | None:
    """Read the reject a row of a feedback file passes on, None if it is no such row.

    Raises ValueError for one that is not as ``rejected_line`` writes it.
    """
    if REJECTED not in row:
        return None
    rejected, model, text = row[REJECTED], row.get("model"), row.get("text")
    if not isinstance(rejected, dict) or rejected.get("code") not in PASSED_ON or not isinstance(text, str):
        raise ValueError(f"{REJECTED}: is not a reject as calls write it")
    try:
        received_at = parse_time(row.get("received_at"))
    except InvalidInput as error:
        raise ValueError(f"received_at: {error.message}") from error
    return Reject(
        code=RejectCode(rejected["code"]),
        # Without one it was written when only feedback was passed on.
        kind=RowKind(row.get("kind", RowKind.FEEDBACK)),
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

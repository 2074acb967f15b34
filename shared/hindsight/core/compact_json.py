"""JSON as Hindsight writes and reads it: compact, canonical, finite numbers only."""

import hashlib
import json
from typing import Any, NoReturn

from hindsight.core.errors import InvalidInput

MAX_DEPTH = 16


def dumps(value: object) -> str:
    """Dump compact JSON with sorted keys: equal values give equal text.

    >>> dumps({"b": 1, "a": 0.1})
    '{"a":0.1,"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def loads(text: str | bytes) -> Any:
    """Parse a JSON text from outside.

    Raises InvalidInput for malformed JSON, NaN and infinities, numbers beyond a double, nesting deeper than
    ``MAX_DEPTH``, repeated keys, and text that is not well-formed Unicode.
    """
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        value = json.loads(
            decoded,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_bounded_integer,
            object_pairs_hook=_object,
        )
        _require_depth(value, MAX_DEPTH)
        if "\\u" in decoded:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise InvalidInput("the body is not well-formed UTF-8") from error
    except RecursionError as error:
        raise InvalidInput(f"the JSON is nested deeper than {MAX_DEPTH} levels") from error
    except json.JSONDecodeError as error:
        raise InvalidInput(f"not valid JSON: {error.msg} at line {error.lineno} column {error.colno}") from error
    return value


def digest(value: object) -> str:
    """Compute the SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(dumps(value).encode()).hexdigest()


def _refuse_constant(text: str) -> NoReturn:
    raise InvalidInput(f"{text} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise InvalidInput("a number is too large for a 64-bit float")
    return number


def _bounded_integer(text: str) -> int:
    if len(text) > 17 and abs(number := float(text)) > 2**53:
        raise InvalidInput(f"the integer {number:g} does not fit 53 bits; send it as text")
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidInput("a key is repeated in one object")
    return fields


def _require_depth(value: object, levels: int) -> None:
    if isinstance(value, dict | list):
        if levels == 0:
            raise InvalidInput(f"the JSON is nested deeper than {MAX_DEPTH} levels")
        for child in value.values() if isinstance(value, dict) else value:
            _require_depth(child, levels - 1)

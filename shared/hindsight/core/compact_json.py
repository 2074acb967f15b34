"""JSON as Hindsight writes and reads it: compact, canonical, finite numbers only."""

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Self

from hindsight.core.errors import Fault, InvalidInput

MAX_DEPTH = 16
MAX_INTEGER = 2**53
# Of the text of an object that repeats a key. Quarantine keeps less of an item, and a whole text would be written again
# for every object around it.
MAX_UNUSABLE_TEXT = 8192
MAX_ANSWER_BYTES = 6_000_000
"""Of a body; Lambda takes 6,291,556 bytes from a function, with headers and all."""

_SURROGATES = re.compile("[\ud800-\udfff]")
_NOT_UNICODE = "is not well-formed Unicode"
_NO_UNICODE_KEY = f"has a key that {_NOT_UNICODE}"


def dumps(value: object) -> str:
    """Dump compact JSON with sorted keys: equal values give equal text.

    >>> dumps({"b": 1, "a": 0.1})
    '{"a":0.1,"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def dumps_as_sent(value: object, write: Callable[[object], str] = dumps) -> str:
    """Dump a parsed value, each ``Unusable`` of it as it was sent: who reads it again finds the same fault.

    >>> dumps_as_sent(parse('{"b": [NaN, 1], "a": "NaN"}'))
    '{"a":"NaN","b":[NaN,1]}'
    """
    if isinstance(value, Unusable):
        return str(value)
    if isinstance(value, dict):
        return _joined(sorted(value.items()), write)
    if isinstance(value, list):
        return f"[{','.join(dumps_as_sent(child, write) for child in value)}]"
    return write(value)


def _joined(pairs: Iterable[tuple[str, object]], write: Callable[[object], str]) -> str:
    return f"{{{','.join(f'{write(name)}:{dumps_as_sent(child, write)}' for name, child in pairs)}}}"


class Unusable(str):
    """The text of a value that JSON can write and Hindsight cannot take, in that value's place."""

    __slots__ = ("key", "reason")

    def __new__(cls, text: str, reason: str, key: str | None = None) -> Self:
        """Keep the text, and why its value is not taken; in an object the ``key`` at fault."""
        made = super().__new__(cls, text)
        made.reason, made.key = reason, key
        return made

    reason: str
    key: str | None


def parse(text: str | bytes) -> Any:
    """Parse a JSON text from outside whose parts are judged one by one.

    An ``Unusable`` stands for NaN, infinities, numbers beyond a double, integers beyond 53 bits, objects that repeat
    a key, what is nested deeper than ``MAX_DEPTH``, and text that is not well-formed Unicode; ``unusable`` finds them.
    Raises InvalidInput for malformed JSON.
    """
    try:
        # A byte order mark, as editors write it, is none of the text.
        decoded = (text.decode("utf-8") if isinstance(text, bytes) else text).removeprefix("\ufeff")
        value = json.loads(
            decoded,
            parse_constant=lambda constant: Unusable(constant, f"{constant} is not a JSON number"),
            parse_float=_finite,
            parse_int=_exact_integer,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError as error:
        raise InvalidInput("the body is not well-formed UTF-8") from error
    except RecursionError as error:
        raise InvalidInput(f"the JSON is nested deeper than {MAX_DEPTH} levels") from error
    except json.JSONDecodeError as error:
        raise InvalidInput(f"not valid JSON: {error.msg} at line {error.lineno} column {error.colno}") from error
    return _judged(value, MAX_DEPTH, escapes="\\u" in decoded)


def loads(text: str | bytes) -> Any:
    """Parse a JSON text from outside that is taken whole or not at all.

    Raises InvalidInput with the path at fault, for all that ``parse`` and ``unusable`` find wrong.
    """
    value = parse(text)
    if (fault := unusable(value, "")) is not None:
        raise InvalidInput(f"{fault.path} {fault.message}".strip(), (fault,))
    return value


def unusable(value: object, path: str) -> Fault | None:
    """Find the first part of a parsed value that cannot be taken; None if all can.

    >>> unusable(parse('{"events": [{"value": NaN}]}'), "")
    Fault(path='events[0].value', message='NaN is not a JSON number', line=None)
    """
    if isinstance(value, Unusable):
        return Fault(path if value.key is None else _path_to(path, value.key), value.reason)
    if isinstance(value, list):
        found = (unusable(child, f"{path}[{index}]") for index, child in enumerate(value))
    elif isinstance(value, dict):
        found = (unusable(child, _path_to(path, name)) for name, child in value.items())
    else:
        return None
    return next((fault for fault in found if fault is not None), None)


def _path_to(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def answer_bytes(value: object) -> int:
    """Measure a value as a part of an answer's body, which Lambda hands on as text in JSON: a quote counts twice.

    >>> answer_bytes({"a": 1})
    11
    """
    return len(dumps(dumps(value)).encode())


def digest(value: object) -> str:
    """Compute the SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(dumps(value).encode()).hexdigest()


def _finite(text: str) -> float | Unusable:
    number = float(text)
    return number if math.isfinite(number) else Unusable(text, "is too large for a 64-bit float")


def _exact_integer(text: str) -> int | Unusable:
    # Not by int() first: it refuses thousands of digits, and takes its time for hundreds.
    if len(text) > 17 or not -MAX_INTEGER <= (number := int(text)) <= MAX_INTEGER:
        return Unusable(text, "is an integer that does not fit 53 bits; send it as text")
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Unusable:
    fields = dict(pairs)
    if len(fields) == len(pairs):
        return fields
    repeated = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
    # With escapes: what is no Unicode could not be encoded.
    text = _joined(pairs, json.dumps)[:MAX_UNUSABLE_TEXT]
    if _SURROGATES.search(repeated):
        return Unusable(text, _NO_UNICODE_KEY)
    return Unusable(text, "is repeated", repeated)


def _judged(value: Any, levels: int, *, escapes: bool) -> Any:
    """Put an ``Unusable`` for each part that is nested too deep or, where the text has ``escapes``, no Unicode."""
    if isinstance(value, dict | list):
        if levels == 0:
            return Unusable("nested", f"is nested deeper than {MAX_DEPTH} levels")
        if escapes and isinstance(value, dict) and any(map(_SURROGATES.search, value)):
            return Unusable(json.dumps(value), _NO_UNICODE_KEY)
        for place, child in list(value.items() if isinstance(value, dict) else enumerate(value)):
            if isinstance(child, dict | list) or (escapes and isinstance(child, str)):
                value[place] = _judged(child, levels - 1, escapes=escapes)
    elif isinstance(value, str) and not isinstance(value, Unusable) and _SURROGATES.search(value):
        return Unusable(json.dumps(value), _NOT_UNICODE)
    return value

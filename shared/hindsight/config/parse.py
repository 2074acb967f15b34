"""Text to configuration, with every fault named by its path."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hindsight.config.documents.spelling import meant
from hindsight.config.model import ModelConfiguration
from hindsight.config.training import PIPELINE_NAME
from hindsight.config.types import (
    DAY,
    EVENT_NAME,
    FEATURE_NAME,
    IDENTIFIER,
    MODEL_NAME,
    NO_IDENTIFIER,
    NO_MODEL_NAME,
    InconsistentFields,
)
from hindsight.core import compact_json
from hindsight.core.errors import Fault, InvalidInput
from hindsight.core.times import NOT_A_TIME

MAX_CONFIGURATION_BYTES = 256 * 1024

_SCALARS = frozenset({"bool", "int", "float", "str", "constrained-int", "constrained-float", "constrained-str"})
_UNKNOWN = "extra_forbidden"
# So many unknown fields are compared with all that are known.
_ASKED = 3
_ANY_SCALAR = "must be text, a number, true or false"
_OBJECT, _LIST, _WHOLE, _NUMBER, _BOOLEAN = (
    f"must be {what}" for what in ("an object", "a list", "a whole number", "a number", "true or false")
)
# What pydantic calls an error, in our words.
_MESSAGES = {
    _UNKNOWN: "is not a known field",
    "missing": "is required",
    **dict.fromkeys(("model_type", "dict_type", "model_attributes_type"), _OBJECT),
    **dict.fromkeys(("list_type", "tuple_type"), _LIST),
    **dict.fromkeys(("string_type", "path_type"), "must be text"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), _WHOLE),
    **dict.fromkeys(("float_type", "float_parsing"), _NUMBER),
    "finite_number": "must be a finite number",
    **dict.fromkeys(("bool_type", "bool_parsing"), _BOOLEAN),
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} entries, not {actual_length}",
    "too_long": "must have at most {max_length} entries, not {actual_length}",
    **dict.fromkeys(("literal_error", "enum"), "must be {expected}"),
    **dict.fromkeys(("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "timezone_aware"), NOT_A_TIME),
}
_NAMES = {
    IDENTIFIER: NO_IDENTIFIER,
    MODEL_NAME: NO_MODEL_NAME,
    FEATURE_NAME: "must be 1 to 128 characters, none of them a control character",
    EVENT_NAME: "must be 1 to 64 letters, digits, _ . and -, the first a letter",
    PIPELINE_NAME: "must be module:function, of letters, digits and _",
    DAY: "must be a day of the calendar, such as 2026-03-01",
}
_NOT_IN_THE_DOCUMENT = _SCALARS | {"[key]", "AtLeast"}  # pydantic's names for branches


def parse_configuration(document: object, *, model: str | None = None) -> ModelConfiguration:
    """Build the configuration that a parsed document describes.

    ``model`` is the name it is stored under; a document that names another one is refused.
    Raises InvalidInput with one fault for each path that is wrong.
    """
    if not isinstance(document, dict):
        raise InvalidInput("the configuration must be an object", (Fault("", "must be an object"),))
    if model is not None:
        if document.get("model", model) != model:
            raise InvalidInput(
                "the configuration is invalid", (Fault("model", f"must be {model!r}, the name in the address"),)
            )
        document = {**document, "model": model}
    try:
        return ModelConfiguration.model_validate_json(json.dumps(document, default=str))
    except ValidationError as error:
        raise InvalidInput("the configuration is invalid", faults_of(error, ModelConfiguration)) from error


def dump_configuration(configuration: ModelConfiguration) -> dict[str, Any]:
    """Convert the configuration to JSON objects, every default written out."""
    return configuration.model_dump(mode="json", by_alias=True)


def configuration_digest(configuration: ModelConfiguration) -> str:
    """Compute the SHA-256 of the canonical configuration: the same meaning, the same digest."""
    return compact_json.digest(dump_configuration(configuration))


def faults_of(error: ValidationError, kind: type[BaseModel], prefix: str = "") -> tuple[Fault, ...]:
    """List pydantic's errors as faults, with paths like ``labels.rules[1].window``.

    Of a few unknown fields each is asked for the one of ``kind``, or of a section in it, that it is spelt like.
    """
    faults: list[Fault] = []
    found = error.errors(include_url=False)
    unknown = [str(details["loc"][-1]) for details in found if details["type"] == _UNKNOWN]
    asked = {name: meant(name, _fields_of(kind)) for name in unknown[:_ASKED]}
    for details in found:
        cause = details.get("ctx", {}).get("error")
        if isinstance(cause, InconsistentFields):
            section = _path(details, prefix)
            faults.extend(Fault(_joined(section, fault.path), fault.message) for fault in cause.faults)
        elif not (details["type"] == "too_short" and _has_faulty_items(details, found)):
            question = asked.get(str(details["loc"][-1]), "") if details["type"] == _UNKNOWN else ""
            faults.append(Fault(_path(details, prefix), _message(details) + question))
    # Of a value that may be of several types, it says more what is wrong as one of them.
    precise = {fault.path for fault in faults if fault.message != _ANY_SCALAR}
    return tuple(dict.fromkeys(found for found in faults if found.message != _ANY_SCALAR or found.path not in precise))


@cache
def _fields_of(kind: type[BaseModel]) -> tuple[str, ...]:
    schema = kind.model_json_schema()
    return tuple(
        sorted({name for part in (schema, *schema.get("$defs", {}).values()) for name in part.get("properties", ())})
    )


def _has_faulty_items(details: ErrorDetails, found: Sequence[ErrorDetails]) -> bool:
    """Check whether a list is too short only because items of it are at fault."""
    loc = details["loc"]
    return any(len(other["loc"]) > len(loc) and other["loc"][: len(loc)] == loc for other in found)


def _path(details: ErrorDetails, prefix: str) -> str:
    path = prefix
    for part in details["loc"]:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part not in _NOT_IN_THE_DOCUMENT and not part.startswith("literal["):
            path += f".{part}" if path else part
    return path


def _joined(section: str, path: str) -> str:
    return f"{section}.{path}" if section and path else section or path


def _short(value: object) -> object:
    return f"{value:g}" if isinstance(value, float) else value


def _message(details: ErrorDetails) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if details["loc"] and details["loc"][-1] in _SCALARS and kind.endswith(("_type", "_parsing", "_from_float")):
        return _ANY_SCALAR
    if kind in {"string_too_short", "too_short"} and context["min_length"] == 1:
        return "must not be empty"
    if kind == "string_pattern_mismatch":
        return _NAMES.get(context["pattern"], f"must match {context['pattern']}")
    if kind in _MESSAGES:
        return _MESSAGES[kind].format(**{name: _short(value) for name, value in context.items()})
    return details["msg"].removeprefix("Value error, ").replace("Input should be", "must be")

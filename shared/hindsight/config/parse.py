"""Text to configuration, with every fault named by its path."""

import hashlib
import json
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hindsight.config.model import InconsistentConfiguration, ModelConfiguration
from hindsight.core.errors import Fault, InvalidInput

MAX_CONFIGURATION_BYTES = 256 * 1024

_TOO_SHORT = "must not be empty"
# Pydantic's errors in the words of ours.
_PLAIN = {
    "bool_type": "must be true or false",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "string_type": "must be text",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_long": "must not be longer than {max_length} characters",
    "string_too_short": _TOO_SHORT,
    "too_long": "must not have more than {max_length} entries",
    "too_short": _TOO_SHORT,
}
_SCALARS = frozenset({"bool", "int", "float", "str", "constrained-str"})
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
        raise InvalidInput("the configuration is invalid", faults_of(error)) from error


def dump_configuration(configuration: ModelConfiguration) -> dict[str, Any]:
    """Convert the configuration to JSON objects, every default written out."""
    return configuration.model_dump(mode="json")


def configuration_digest(configuration: ModelConfiguration) -> str:
    """Compute the SHA-256 of the canonical configuration: the same meaning, the same digest."""
    canonical = json.dumps(dump_configuration(configuration), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def faults_of(error: ValidationError, prefix: str = "") -> tuple[Fault, ...]:
    """List pydantic's errors as faults, with paths like ``labels.rules[1].window``."""
    faults: list[Fault] = []
    for details in error.errors(include_url=False):
        cause = details.get("ctx", {}).get("error")
        if isinstance(cause, InconsistentConfiguration):
            faults.extend(cause.faults)
        else:
            faults.append(Fault(_path(details, prefix), _message(details)))
    return tuple(fault for fault in dict.fromkeys(faults) if not _follows(fault, faults))


def _follows(fault: Fault, faults: list[Fault]) -> bool:
    """Judge whether a list only counts as too short because entries of it are at fault."""
    return fault.message == _TOO_SHORT and any(other.path.startswith(f"{fault.path}[") for other in faults)


def _path(details: ErrorDetails, prefix: str) -> str:
    path = prefix
    for part in details["loc"]:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part not in _NOT_IN_THE_DOCUMENT and not part.startswith("literal["):
            path += f".{part}" if path else part
    return path


def _message(details: ErrorDetails) -> str:
    if details["type"] == "extra_forbidden":
        return "is not a known field"
    if details["type"] == "missing":
        return "is required"
    if details["type"] in {"model_type", "dict_type"}:
        return "must be an object"
    if details["loc"] and details["loc"][-1] in _SCALARS:
        return "must be text, a number, true or false"
    plain = _PLAIN.get(details["type"])
    if plain is None:
        return details["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    return plain.format(**details.get("ctx", {}))

"""Requests in: the body within its limits, the names in the path, the moment of the request."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from hindsight.config.documents.strict_yaml import parse_yaml
from hindsight.config.store import SentDocument
from hindsight.config.types import MODEL_NAME, NO_IDENTIFIER, is_identifier
from hindsight.core import compact_json
from hindsight.core.errors import NOTHING_HERE, Fault, InvalidInput, NotFound, TooLarge, UnsupportedType, shortened
from hindsight.quarantine.store import UNREADABLE

JSON_TYPE = "application/json"
YAML_TYPE = "application/yaml"
# RFC 9512 names the first; clients still send the others.
YAML_TYPES = (YAML_TYPE, "application/x-yaml", "text/yaml", "text/x-yaml", "text/vnd.yaml")
DOCUMENT_TYPES = (JSON_TYPE, *YAML_TYPES)

_MODEL_NAME = re.compile(MODEL_NAME)


def read_json(event: APIGatewayProxyEvent, *, max_bytes: int) -> Any:
    """Parse the JSON value of the body.

    Raises UnsupportedType for another content type, TooLarge beyond ``max_bytes``, InvalidInput for a body that is
    not JSON or breaks a limit of ``hindsight.core.compact_json.loads``.
    """
    _require_json(event)
    return compact_json.loads(_body(event, max_bytes))


def read_optional_json(event: APIGatewayProxyEvent, *, max_bytes: int) -> Any:
    """Parse the JSON value of the body, an empty object where there is none; raises as ``read_json`` does."""
    return read_json(event, max_bytes=max_bytes) if event.body else {}


def read_document(event: APIGatewayProxyEvent, *, max_bytes: int) -> tuple[object, SentDocument]:
    """Read the value of a JSON or YAML body, and the document as it was sent; raises as ``read_json`` does."""
    kind = content_type(event)
    if kind not in DOCUMENT_TYPES:
        raise UnsupportedType(f"the content type must be {JSON_TYPE} or {YAML_TYPE}")
    try:
        sent = SentDocument(text=_body(event, max_bytes).decode("utf-8"), content_type=kind)
    except UnicodeDecodeError as error:
        raise InvalidInput("the body is not well-formed UTF-8") from error
    return (compact_json.loads(sent.text) if kind == JSON_TYPE else parse_yaml(sent.text)), sent


def read_object(event: APIGatewayProxyEvent, *, max_bytes: int, known: frozenset[str]) -> dict[str, Any]:
    """Read a JSON object of items that has no other than the known fields; raises as ``read_json`` does.

    An item that cannot be taken fails alone: ``hindsight.validation.items.parse_item`` refuses it.
    """
    _require_json(event)
    value = compact_json.parse(_body(event, max_bytes))
    if isinstance(value, compact_json.Unusable):
        raise InvalidInput(f"the body {value.reason}", (Fault("", value.reason),))
    if not isinstance(value, dict):
        raise InvalidInput(f"the body must be a JSON object with {_listed(known)}", (Fault("", "must be an object"),))
    if unknown := sorted(value.keys() - known):
        taken = f"the body takes {_listed(known)}, and not {shortened(unknown[0])}"
        raise InvalidInput(taken, tuple(Fault(name, "is not a known field") for name in unknown))
    return value


def _listed(known: frozenset[str]) -> str:
    return " and ".join(sorted(known))


def content_type(event: APIGatewayProxyEvent) -> str:
    """Read the body's media type without parameters, in lower case."""
    header = event.headers.get("content-type") or ""
    return header.split(";", 1)[0].strip().lower()


def model_name(raw: str) -> str:
    """Parse the model's name in a path. Raises NotFound for a name no model can have."""
    name = unquoted(raw)
    if not _MODEL_NAME.fullmatch(name):
        raise NotFound("no model has that name")
    return name


def quarantine_name(raw: str) -> str:
    """Parse the model whose quarantine a path names, or the name that stands for all unreadable models."""
    return UNREADABLE if unquoted(raw) == UNREADABLE else model_name(raw)


def identifier(raw: str, what: str) -> str:
    """Parse an id in a path. Raises NotFound for an id nothing can have."""
    value = unquoted(raw)
    if not is_identifier(value):
        raise NotFound(f"no {what} has that id")
    return value


def unquoted(raw: str) -> str:
    """Decode a part of the path, which a REST API passes on as it was sent. Raises NotFound if it is not UTF-8."""
    try:
        return unquote(raw, errors="strict")
    except UnicodeDecodeError as error:
        raise NotFound(NOTHING_HERE) from error


def requested_at(event: APIGatewayProxyEvent) -> datetime:
    """Read the moment API Gateway took the request, in UTC."""
    return datetime.fromtimestamp(event.request_context.request_time_epoch / 1000, UTC)


def actor_of(event: APIGatewayProxyEvent) -> str:
    """Name the caller for an audit record: ``key:`` and the audience, since keys are shared."""
    return f"key:{event.request_context['authorizer']['audience']}"


def limit(event: APIGatewayProxyEvent, *, default: int, most: int) -> int:
    """Read the ``limit`` query parameter. Raises InvalidInput unless it is a whole number from 1 to ``most``."""
    return whole_number(event, "limit", most) or default


def flag(event: APIGatewayProxyEvent, name: str) -> bool:
    """Read a query parameter that is ``true`` or ``false``, false by default. Raises InvalidInput for other text."""
    text = (event.query_string_parameters or {}).get(name, "false")
    if text not in {"true", "false"}:
        raise InvalidInput.in_query(name, "must be true or false")
    return text == "true"


def query_text(event: APIGatewayProxyEvent, name: str, most: int) -> str | None:
    """Read a query parameter that is text of at most some characters, None if it is absent. Raises InvalidInput."""
    text = (event.query_string_parameters or {}).get(name)
    if text is not None and not 1 <= len(text) <= most:
        raise InvalidInput.in_query(name, f"must have 1 to {most} characters")
    return text


def whole_number(event: APIGatewayProxyEvent, name: str, most: int) -> int | None:
    """Read a query parameter that is a whole number from 1 on, None where it is absent. Raises InvalidInput."""
    text = (event.query_string_parameters or {}).get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= most):
        raise InvalidInput.in_query(name, f"must be a whole number from 1 to {most}")
    return int(text)


def query_identifier(event: APIGatewayProxyEvent, name: str, default: str) -> str:
    """Read the id that a query parameter carries. Raises InvalidInput if it is no id."""
    text = (event.query_string_parameters or {}).get(name, default)
    if not is_identifier(text):
        raise InvalidInput.in_query(name, NO_IDENTIFIER)
    return text


def _require_json(event: APIGatewayProxyEvent) -> None:
    if not event.body:
        raise _empty()
    if content_type(event) != JSON_TYPE:
        raise UnsupportedType(f"the content type must be {JSON_TYPE}")


def _body(event: APIGatewayProxyEvent, max_bytes: int) -> bytes:
    try:
        body = (event.decoded_body or "").encode("utf-8")
    except (UnicodeError, ValueError) as error:
        raise InvalidInput("the body is not well-formed UTF-8") from error
    if len(body) > max_bytes:
        raise TooLarge(f"the body has {len(body)} bytes, more than the {max_bytes} allowed")
    if not body.strip():
        raise _empty()
    return body


def _empty() -> InvalidInput:
    return InvalidInput("the body is empty", (Fault("", "is required"),))

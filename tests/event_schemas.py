"""The schemas that docs/events.md promises, read from there."""

import json
import re
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

PAGE = Path(__file__).parents[1] / "docs" / "events.md"
_BLOCK = re.compile(r"```json schema=(\w+)\n(.*?)```", re.DOTALL)
_HEADING = re.compile(r"## `data` of [^:]+: (.+)\n(?:.*\n)*?\n?```json schema=(\w+)")
_ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)


def schemas() -> dict[str, dict[str, Any]]:
    """Read the schemas by their names on the page."""
    return {name: json.loads(text) for name, text in _BLOCK.findall(PAGE.read_text(encoding="utf-8"))}


def announced() -> list[str]:
    """Read the detail types of the page's table."""
    return _ROW.findall(PAGE.read_text(encoding="utf-8"))


def schema_of(detail_type: str) -> str:
    """Find the name of the schema that the page gives for the data of an event."""
    for names, schema in _HEADING.findall(PAGE.read_text(encoding="utf-8")):
        if f"`{detail_type}`" in names:
            return str(schema)
    raise KeyError(detail_type)


def require_promised(detail_type: str, detail: Any) -> None:
    """Raise ValidationError for a detail that is not as the page says."""
    known = schemas()
    for name, part in (("envelope", detail), (schema_of(detail_type), detail["data"])):
        Draft202012Validator(known[name], format_checker=Draft202012Validator.FORMAT_CHECKER).validate(part)

"""The settings of a model's configuration, made of its schema: path, what it takes, default, effect."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hindsight.config.model import ModelConfiguration
from local.pages import table
from local.reference.schemas import Schema, schemas_of

# Where a section is explained at length.
MORE = {
    "exploration": "weights.md",
    "features": "monitoring.md",
    "labels": "labels.md",
    "feedback": "poisoning.md",
    "review": "review-selection.md",
    "monitoring": "monitoring.md",
    "triggers": "triggers.md",
    "training": "training.md",
    "gate": "gate.md",
    "deployment": "deployment.md",
    "retention": "privacy.md",
}
_NO_DEFAULT = "required"
_SCALARS = {
    "boolean": "`true`, `false`",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "duration": "a duration",
    "date-time": "a time",
    "date": "a day",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of the configuration."""

    path: str
    takes: str
    default: str
    effect: str


def settings() -> list[Setting]:
    """List every key of the configuration, in the order of its schema."""
    schemas = schemas_of(ModelConfiguration)
    return list(_Walk(schemas).keys_of(schemas[ModelConfiguration.__name__], ""))


def settings_page() -> str:
    """Write a table for each section, and one for the keys that have none below them."""
    found = settings()
    parents = {setting.path for setting in found if any(one.path.startswith(f"{setting.path}.") for one in found)}
    alone = [one for one in found if "." not in one.path and one.path not in parents]
    parts = ["## The model", "", _table(alone)]
    for section in (one for one in found if "." not in one.path and one.path in parents):
        below = [one for one in found if one.path.startswith(f"{section.path}.")]
        more = f" More: [{MORE[section.path].removesuffix('.md')}]({MORE[section.path]})."
        parts += ["", f"## {section.path}", "", f"{section.effect}{more}", "", _table(below)]
    return "\n".join(parts)


def _table(found: list[Setting]) -> str:
    rows = [(f"`{one.path}`", one.takes, one.default, one.effect) for one in found]
    return table(("key", "takes", "default", "effect"), rows)


class _Walk:
    def __init__(self, schemas: dict[str, Schema]) -> None:
        self._schemas = schemas

    def keys_of(self, schema: Schema, path: str) -> Iterator[Setting]:
        """List the keys of an object, and below each those of what it holds."""
        for name, found in schema["properties"].items():
            yield from self._key(found, f"{path}{name}", name in schema.get("required", ()))

    def _key(self, schema: Schema, path: str, is_required: bool) -> Iterator[Setting]:
        choices = [
            choice for choice in map(self._resolved, schema.get("anyOf", [schema])) if choice != {"type": "null"}
        ]
        takes = " or ".join(dict.fromkeys(_takes(choice, self._resolved) for choice in choices))
        default = _NO_DEFAULT if is_required else _shown(schema.get("default"))
        yield Setting(path, takes, default, schema.get("description", ""))
        for choice in choices:
            yield from self._below(choice, path)

    def _below(self, schema: Schema, path: str) -> Iterator[Setting]:
        if "properties" in schema:
            yield from self.keys_of(schema, f"{path}.")
        elif schema.get("type") == "array" and "properties" in (item := self._resolved(schema["items"])):
            yield from self.keys_of(item, f"{path}[].")
        else:
            for pattern in schema.get("patternProperties", {}).values():
                yield from self.keys_of(self._resolved(pattern), f"{path}.<name>.")

    def _resolved(self, schema: Schema) -> Schema:
        reference = schema.get("$ref")
        return schema if reference is None else self._schemas[reference.rpartition("/")[2]]


def _takes(schema: Schema, resolved: Any) -> str:
    """Describe in words what a schema takes."""
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        most, item = schema.get("maxItems"), resolved(schema["items"])
        kind = "" if "properties" in item else f": {_takes(item, resolved)}"
        return f"a list{'' if most is None else f' of at most {most}'}{kind}"
    if schema.get("type") == "object":
        return "the keys below" if "properties" in schema else "a map by name"
    most = f", at most {schema['maxLength']:,} characters" if "maxLength" in schema else ""
    return f"{_SCALARS[schema['format'] if 'format' in schema else schema['type']]}{_range(schema)}{most}"


def _range(schema: Schema) -> str:
    words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
    bounds = [f"{word} {_number(schema[name])}" for name, word in words.items() if name in schema]
    joined = " ".join(bounds) if bounds[1:] and bounds[1].startswith("to") else ", ".join(bounds)
    return f" {joined}" if bounds else ""


def _number(value: float) -> str:
    return f"{value:g}" if abs(value) >= 1e15 else f"{value:,}"


def _shown(default: Any) -> str:
    """Show a default; an object's is that of its keys, shown with them."""
    if default is None or isinstance(default, dict):
        return "–"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if default in ("", []):
        return "empty"
    return f"`{default}`"

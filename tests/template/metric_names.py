"""The metrics that the code publishes, read from its source."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from hindsight.runtime import join_metrics
from hindsight.triggers.runs.result import COUNTED_AS

ROOT = Path(__file__).parents[2]
# Whatever name the module then calls it by.
_IMPORTS_COUNTERS = re.compile(r"^from hindsight\.runtime(?:\.counters)? import .*\bcount(?:ers)?\b", re.MULTILINE)


def embedded_metrics() -> list[re.Pattern[str]]:
    """List the names of the functions' embedded metrics, with dimensions in small letters."""
    named = [re.compile(re.escape(name)) for name in (*join_metrics._NAMES.values(), *COUNTED_AS.values())]
    return [*named, *_counted(), *_arguments("single_metric"), *_arguments("add_metric")]


def put_metrics() -> list[re.Pattern[str]]:
    """List the names of the monitor's measurements, with dimensions in capitals."""
    return list(_arguments("Measurement"))


def is_among(name: str, published: list[re.Pattern[str]]) -> bool:
    return any(pattern.fullmatch(name) for pattern in published)


def _arguments(call: str) -> Iterator[re.Pattern[str]]:
    """List the names in the calls of that function; a part that is computed matches anything."""
    for node, constants in _calls(call):
        keywords = [keyword.value for keyword in node.keywords if keyword.arg == "name"]
        if (pattern := _pattern([*keywords, *node.args][0], constants)) is not None:
            yield re.compile(pattern)


def _counted() -> Iterator[re.Pattern[str]]:
    """List the names of the counters in the mappings that stand in a call of ``count`` or before one."""
    for node in _nodes():
        if isinstance(node, ast.Dict):
            for key in node.keys:
                pattern = _pattern(key, {}) if key is not None else None
                # No header, which has a hyphen.
                if pattern is not None and re.fullmatch(r"[A-Z][a-z]\w+.*", pattern) and r"\-" not in pattern:
                    yield re.compile(pattern)


def _nodes() -> Iterator[ast.AST]:
    for path in (ROOT / "functions").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if _IMPORTS_COUNTERS.search(text):
            yield from ast.walk(ast.parse(text))
    yield from ast.walk(ast.parse((ROOT / "shared/hindsight/runtime/join_metrics.py").read_text(encoding="utf-8")))


def _calls(name: str) -> Iterator[tuple[ast.Call, dict[str, str]]]:
    for path in [*(ROOT / "functions").rglob("*.py"), *(ROOT / "shared").rglob("*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = dict(_constants(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name:
                yield node, constants


def _pattern(name: ast.expr, constants: dict[str, str]) -> str | None:
    if isinstance(name, ast.Constant):
        return re.escape(str(name.value))
    if isinstance(name, ast.JoinedStr):
        parts = [str(part.value) if isinstance(part, ast.Constant) else None for part in name.values]
        return "".join("[A-Z][A-Za-z0-9]*" if part is None else re.escape(part) for part in parts)
    return re.escape(constants[name.id]) if isinstance(name, ast.Name) and name.id in constants else None


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """List the module's texts by name, with those of the watched metrics where they are imported."""
    watched = ROOT / "shared/hindsight/monitoring/results/alarm_metrics.py"
    for node in [*ast.parse(watched.read_text(encoding="utf-8")).body, *tree.body]:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                yield name, text

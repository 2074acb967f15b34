"""The library's measures: sizes of modules and functions, and how much of what is public has a docstring."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.unit.architecture.test_layers import LIBRARY, ROOT, dotted, modules, parse

MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 60
MAX_MEDIAN_FUNCTION_LINES = 8
MIN_DOCUMENTED = 0.97

Function = ast.FunctionDef | ast.AsyncFunctionDef
LIBRARY_MODULES = modules(LIBRARY)


def functions(tree: ast.AST) -> Iterator[Function]:
    yield from (node for node in ast.walk(tree) if isinstance(node, Function))


def lines_of(function: Function) -> int:
    """Count a function's lines from its name on, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    docstring = 0 if body is function.body else (function.body[0].end_lineno or 0) - function.body[0].lineno + 1
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def public(tree: ast.Module) -> Iterator[ast.Module | ast.ClassDef | Function]:
    """List a module, its public classes and functions, and their public methods; a fake's protocol documents it."""
    yield tree
    for node in tree.body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (
                    child for child in node.body if isinstance(child, Function) and not child.name.startswith("_")
                )


def test_no_module_is_longer_than_three_hundred_lines() -> None:
    folders = [LIBRARY, *(ROOT / name for name in ("functions", "local", "bench", "tests"))]
    long = {dotted(path): len(path.read_text().splitlines()) for path in modules(*folders)}

    assert {name: count for name, count in long.items() if count > MAX_MODULE_LINES} == {}


def test_functions_of_the_library_are_short() -> None:
    found = [
        (lines_of(function), dotted(path), function.name)
        for path in LIBRARY_MODULES
        for function in functions(parse(path))
    ]

    assert [entry for entry in found if entry[0] > MAX_FUNCTION_LINES] == []
    assert median(count for count, _, _ in found) <= MAX_MEDIAN_FUNCTION_LINES


def test_public_names_have_docstrings() -> None:
    written = [path for path in LIBRARY_MODULES if path.name != "__init__.py" and "testing" not in path.parts]
    nodes = [(dotted(path), node) for path in written for node in public(ast.parse(path.read_text()))]
    bare = [(name, getattr(node, "name", "")) for name, node in nodes if ast.get_docstring(node) is None]

    assert len(bare) <= (1 - MIN_DOCUMENTED) * len(nodes), bare


def test_functions_of_a_folder_have_a_docstring_each() -> None:
    apps = sorted(path for path in Path(ROOT / "functions").glob("*/app.py"))

    assert [dotted(path) for path in apps if ast.get_docstring(ast.parse(path.read_text())) is None] == []

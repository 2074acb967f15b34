"""First lines of docstrings: an action for functions, a thing for modules, classes and fields."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.architecture.test_layers import LIBRARY, ROOT, dotted, modules, parse

MODULES = modules(LIBRARY, *(ROOT / folder for folder in ("functions", "local", "bench", "pipelines", "tests")))

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | Function
Line = tuple[Documented, str]

WH_CLAUSE = r"What(?:ever)?|How|When(?:ever)?|Where(?:ver)?|Which(?:ever)?|Who(?:se|m|ever)?|Why|Whether"
# The signature says that something is returned or yielded; the line has to say what is done.
NO_VERB = r"Returns?|Yields?|Says?|Tells?"
# A class is a thing: its line has no verb in the third person, and no bare participle.
THIRD_PERSON = (
    r"Adds|Answers|Appends|Brings|Calls|Closes|Concludes|Deals|Decides|Does|Draws|Erases|Evaluates|Expires|Finalizes|"
    r"Finds|Has|Holds|Invokes|Joins|Keeps|Leases|Lets|Makes|Notes|Passes|Publishes|Reads|Remembers|Rewrites|Rolls|"
    r"Sends|Starts|Sweeps|Takes|Works|Writes"
)
PARTICIPLE = r"Asked|Chosen|Given|Held(?!-)|Kept|Made|Read|Said|Seen|Sent|Shown|Taken|Told"

FUNCTION_LINE = re.compile(rf"(?:{WH_CLAUSE}|{NO_VERB})\b")
CLASS_LINE = re.compile(rf"(?:{WH_CLAUSE}|{NO_VERB}|{THIRD_PERSON}|{PARTICIPLE})\b")


def documented(tree: ast.AST) -> Iterator[Line]:
    """Find a module, its classes and its functions at any depth, with the first lines of their docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, Documented) and (docstring := ast.get_docstring(node)):
            yield node, docstring.partition("\n")[0]


def documented_fields(tree: ast.AST) -> Iterator[Line]:
    """Find the first lines of the texts below fields of classes, with the classes."""
    for node in ast.walk(tree):
        for below in node.body[1:] if isinstance(node, ast.ClassDef) else ():
            if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                yield node, str(below.value.value).strip().partition("\n")[0]


def offences(path: Path) -> list[str]:
    """List the first lines that begin as none should, with the names that they document."""
    tree = parse(path)
    found = [
        *(line for line in documented(tree) if _rule(line[0]).match(line[1])),
        *(line for line in documented_fields(tree) if FUNCTION_LINE.match(line[1])),
    ]
    return [f"{getattr(node, 'name', dotted(path))}: {line}" for node, line in found]


def _rule(node: Documented) -> re.Pattern[str]:
    return CLASS_LINE if isinstance(node, ast.ClassDef) else FUNCTION_LINE


@pytest.mark.parametrize("line", ["What is kept.", "Return the lake.", "Whether it is open.", "Where tasks wait."])
def test_clause_is_recognised(line: str) -> None:
    assert FUNCTION_LINE.match(line)
    assert CLASS_LINE.match(line)


@pytest.mark.parametrize("line", ["Takes review calls.", "Kept for a day."])
def test_verb_is_no_description_of_a_class(line: str) -> None:
    assert CLASS_LINE.match(line)


@pytest.mark.parametrize("line", ["The lake's objects.", "Whatsapp messages.", "Answer a request."])
def test_plain_line_is_accepted(line: str) -> None:
    assert not FUNCTION_LINE.match(line)
    assert not CLASS_LINE.match(line)


def test_text_below_a_field_is_found() -> None:
    tree = ast.parse('class A:\n    """A thing."""\n\n    field: int\n    """How many there are."""\n')

    assert [line for _, line in documented_fields(tree)] == ["How many there are."]


def test_first_lines_of_docstrings_name_a_thing_or_an_action() -> None:
    assert {dotted(path): found for path in MODULES if (found := offences(path))} == {}

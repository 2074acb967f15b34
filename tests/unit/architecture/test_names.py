"""Names of tests: folders are called as the packages, and functions say case and result in plain words."""

import ast
import re

import pytest

from tests.unit.architecture.test_layers import LIBRARY, ROOT, modules, parse

UNIT = ROOT / "tests/unit"
# Folders of what is no package of the library.
OTHERS = frozenset({"architecture", "bench", "docs", "local"})
RIDDLE = re.compile(
    r"test_(?:what|how|when|where|which|why|whether|who|whose|whom)(?:e?ver)?_"
    r"|_(?:what|whatever|whom|whoever|whomever|anybody|everybody|nobody|somebody|tell|told|tells)(?:_|$)"
)


def folders_of_tests() -> set[str]:
    return {path.parent.relative_to(UNIT).as_posix() for path in UNIT.rglob("test_*.py")}


def names_of_tests() -> set[str]:
    trees = [parse(path) for path in modules(ROOT / "tests")]
    return {
        node.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_folders_of_unit_tests_are_packages_of_the_library() -> None:
    packages = {path.parent.relative_to(LIBRARY).as_posix() for path in LIBRARY.rglob("*.py")}

    assert folders_of_tests() - OTHERS - packages == set()
    assert {path.name for path in UNIT.glob("test_*.py")} == {"test_words.py"}


def test_names_of_tests_say_case_and_result() -> None:
    names = names_of_tests()

    assert len(names) > 1000
    assert {name for name in names if RIDDLE.search(name)} == set()


@pytest.mark.parametrize("name", ["test_what_is_kept_stays", "test_wherever_it_lies", "test_fault_is_told"])
def test_riddle_is_recognised(name: str) -> None:
    assert RIDDLE.search(name)

"""The tests' house: folders of the unit tests are called as the packages whose tests they hold."""

from tests.unit.architecture.test_layers import LIBRARY, ROOT

UNIT = ROOT / "tests/unit"
# Folders of what is no package of the library.
OTHERS = frozenset({"architecture", "bench", "docs", "local"})


def folders_of_tests() -> set[str]:
    return {path.parent.relative_to(UNIT).as_posix() for path in UNIT.rglob("test_*.py")}


def test_folders_of_unit_tests_are_packages_of_the_library() -> None:
    packages = {path.parent.relative_to(LIBRARY).as_posix() for path in LIBRARY.rglob("*.py")}

    assert folders_of_tests() - OTHERS - packages == set()
    assert {path.name for path in UNIT.glob("test_*.py")} == {"test_words.py"}

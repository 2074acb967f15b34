"""Every function has a sample event, and every sample is of a function and passes through its handler in a test."""

import pytest

from tests.functions.conftest import EVENTS

FUNCTIONS = EVENTS.parent / "functions"
FOLDERS = sorted(app.parent.name for app in FUNCTIONS.glob("*/app.py"))
SAMPLES = sorted(path.stem for path in EVENTS.glob("*.json"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_function_has_a_sample_event(folder: str) -> None:
    assert folder in SAMPLES, f"add events/{folder}.json, and send it through the handler in tests/functions"


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_sample_names_a_function_and_is_used_by_the_tests_of_its_handler(sample: str) -> None:
    # A function's several samples differ by a suffix: check_triggers_alarm.
    folder = max((name for name in FOLDERS if sample == name or sample.startswith(f"{name}_")), key=len)
    tests = [path.read_text(encoding="utf-8") for path in (EVENTS.parent / "tests/functions").glob("*.py")]
    used = [text for text in tests if f"functions.{folder}.app" in text and f'"{sample}"' in text]
    assert used, f"a test in tests/functions sends {sample} through the handler of {folder}"

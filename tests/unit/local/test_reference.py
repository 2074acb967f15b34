"""The reference pages are made of the code, and name everything."""

import re
from pathlib import Path

import pytest

from hindsight.config.parse import parse_configuration
from hindsight.config.types import parse_duration
from hindsight.testing.builders.configuration import document
from local.reference.pages import reference_pages
from local.reference.settings import MORE, settings
from local.template import load_template

MAX_SENTENCE = 130


@pytest.mark.parametrize(("page", "text"), list(reference_pages()), ids=lambda part: getattr(part, "name", ""))
def test_page_is_the_one_that_the_code_makes(page: Path, text: str) -> None:
    assert page.read_text(encoding="utf-8") == text, "run `make docs`"


def test_every_setting_has_one_sentence_and_a_default() -> None:
    found = settings()
    assert len(found) > 110
    bare = [one.path for one in found if not re.fullmatch(r"[^|\n]+\.", one.effect) or len(one.effect) > MAX_SENTENCE]
    assert not bare, "describe it in a sentence below the field in shared/hindsight/config/"
    assert set(MORE) <= {one.path for one in found}


def test_durations_that_are_shown_as_defaults_can_be_given() -> None:
    shown = [one.default.strip("`") for one in settings() if one.takes == "a duration" and "`" in one.default]
    assert len(shown) > 10
    assert all(parse_duration(text) for text in shown)


def test_defaults_that_are_shown_are_those_of_a_configuration_without_them() -> None:
    given = {name: part for name, part in document().items() if name in {"model", "task", "features", "labels"}}
    plain = parse_configuration(given).model_dump(mode="json")
    for one in settings():
        section, _, key = one.path.partition(".")
        value = plain[section].get(key) if key and isinstance(plain[section], dict) else None
        if one.default.startswith("`") and value is not None:
            assert one.default == f"`{str(value).lower() if isinstance(value, bool) else value}`", one.path


def test_page_of_parameters_names_every_parameter() -> None:
    text = {page.name: text for page, text in reference_pages()}["parameters.md"]
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(load_template()["Parameters"])

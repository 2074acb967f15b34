"""The glossary's words hold on every page and in all code: no name on its list of names not to use is in it."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hindsight.config.model import ModelConfiguration
from local.template import load_template
from tests.template.metric_names import embedded_metrics, put_metrics

ROOT = Path(__file__).parents[2]
OPENAPI = ROOT / "shared/hindsight/runtime/http/openapi.json"
# Whole names: of fields, metrics, events, parameters, functions, alarms.
NAMES = frozenset(
    {
        *("backward", "distrusted", "held_back_by", "suppressed_by", "considered", "demand", "last_look", "looks"),
        *("obstacles", "setbacks", "why", "trial", "watched", "fired", "place", "history", "violations"),
        *("RunsFired", "RunsHeldBack", "VersionsTakenBack", "NoWayBack", "RetrainingStopped", "MaturingBehind"),
        *("LabelAgeSeconds", "FeedbackLost", "LostFeedbackAlarm", "LostFeedbackEvents", "TrialWithdrawn"),
        *("AnnotationsResent", "KeptVersions", "KeptVersionDays", "RecordDays", "CheckDays", "ProfileDays"),
        *("ReplacedObjectDays", "ErasureSettlingMinutes", "stranger", "describe_api", "report_model", "report_intake"),
        *("tend_reviews", "watch_deployments", "mature_labels", "conclude"),
        *("import_id", "relabel_id", "replay_id", "erasure_id", "settled"),
    }
)
# Words of prose, on pages and in code.
WORDS = (
    *(r"parked", r"told", r"tells", r"said otherwise", r"somebody", r"nobody", r"anybody", r"everybody"),
    *(r"whoever", r"whomever", r"strangers?"),
    *(r"distrust\w*", r"held back by", r"last look", r"setbacks?", r"taken back", r"withdrawn", r"ways? back"),
    *(r"worse beyond doubt", r"beyond doubt", r"yardstick", r"rehearsals?", r"pipelines? of one'?s own", r"workshop"),
    *(r"crowding", r"shel(?:f|ves)", r"labels\.backward", r"outgrowing\.md", r"repair\.md"),
    *(r"RunsFired", r"RunsHeldBack", r"VersionsTakenBack", r"RetrainingStopped", r"LabelAgeSeconds", r"FeedbackLost"),
)
# botocore calls a fake client a stub, and the tree has a folder of examples.
PROSE = re.compile(r"\b(?:" + "|".join((*WORDS, r"stubs?", r"examples/")) + r")(?!\w)", re.IGNORECASE)
# Parts of names count as words: an underscore ends one.
CODE = re.compile(r"(?<![a-z0-9])(?:" + "|".join(WORDS) + r")(?![a-z0-9])", re.IGNORECASE)
FOLDERS = ("shared", "functions", "local", "bench", "pipelines", "tests", "examples", "events", ".github")
SUFFIXES = frozenset({".py", ".json", ".yaml", ".yml", ".toml", ".j2", ".html", ".md", ".sh"})
# The glossary lists the names not to use.
EXEMPT = frozenset({"docs/glossary.md"})
# These list them too.
GUARDS = frozenset({"test_words.py", "test_names.py", "test_docstrings.py"})


def properties(schema: Any) -> Iterator[str]:
    """List the names of all fields in a JSON schema."""
    if isinstance(schema, Mapping):
        if isinstance(found := schema.get("properties"), Mapping):
            yield from found
        for child in schema.values():
            yield from properties(child)
    elif isinstance(schema, list):
        for child in schema:
            yield from properties(child)


def pages() -> list[Path]:
    found = [*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")]
    return sorted(path for path in found if path.relative_to(ROOT).as_posix() not in EXEMPT)


def code() -> list[Path]:
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES]
    return [*sorted(path for path in found if path.name not in GUARDS), *ROOT.glob("*.yaml"), ROOT / "Makefile"]


def found_in(path: Path, words: re.Pattern[str]) -> list[tuple[int, str]]:
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    return [(number, found.group()) for number, line in lines for found in words.finditer(line)]


def test_fields_of_a_configuration_are_the_glossarys() -> None:
    assert NAMES & set(properties(ModelConfiguration.model_json_schema())) == set()


def test_fields_and_routes_of_the_api_are_the_glossarys() -> None:
    document = json.loads(OPENAPI.read_text(encoding="utf-8"))
    routes = {part for path in document["paths"] for part in path.split("/")}

    assert NAMES & {*properties(document), *routes} == set()


def test_metrics_are_called_by_the_glossarys_names() -> None:
    published = [pattern.pattern for pattern in (*embedded_metrics(), *put_metrics())]

    assert [name for name in NAMES if name in published] == []


def test_names_of_the_template_are_the_glossarys() -> None:
    template = load_template()
    named = {name for section in ("Parameters", "Resources", "Outputs") for name in template[section]}
    lifecycles = re.findall(r"Id: (Forget\w*)", (ROOT / "template.yaml").read_text(encoding="utf-8"))

    assert NAMES & named == set()
    assert lifecycles == []


def test_functions_and_commands_are_called_by_the_glossarys_names() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    commands = {path.stem for path in (ROOT / "local/commands").glob("*.py")}

    assert NAMES & (folders | commands) == set()


@pytest.mark.parametrize("page", pages(), ids=lambda path: path.name)
def test_page_uses_the_glossarys_words(page: Path) -> None:
    assert found_in(page, PROSE) == []


def test_code_uses_the_glossarys_words() -> None:
    paths = code()

    assert len(paths) > 1000
    assert {path.relative_to(ROOT).as_posix(): found for path in paths if (found := found_in(path, CODE))} == {}


@pytest.mark.parametrize("line", ["# Nobody waits.", "def told() -> None:", "is_told = True", 'model = "nobody"'])
def test_word_is_found_in_prose_and_in_names(line: str) -> None:
    assert CODE.search(line)


@pytest.mark.parametrize("line", ["# A partition waits.", "retold", "stubber.stub", "toldness"])
def test_other_word_is_no_finding(line: str) -> None:
    assert not CODE.search(line)

"""The pages for readers: every link leads somewhere, every page is in the index, and the README stays short."""

import re
from collections import defaultdict
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest

from local.commands import GROUPS
from local.commands.env import local_variables
from local.deploy import KEY_OUTPUTS
from local.state import Stack

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
TARGET = re.compile(r"(?:^|[`;&] *)make ([a-z]+(?:-[a-z]+)*)", re.MULTILINE)
VARIABLE = re.compile(r"\$\{?([A-Z_]+)")
# What a page leaves to the reader.
PLACEHOLDERS = {"VERSION", "TOPIC"}
COMMAND = re.compile(r"(?:^|`|bin/)hindsight ([a-z]+)", re.MULTILINE)
# Two entries of the changelog that share so many of their words say the same.
DOUBLED = 0.4
MAX_README_LINES = 120
MAX_PICTURE_LINES = 25


def links_of(page: Path) -> set[str]:
    return set(LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))))


@cache
def anchors_of(page: Path) -> set[str]:
    """List the anchors that a page's headings have where Markdown is shown."""
    headings = re.findall(r"^#+ (.+)$", CODE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {word.replace(" ", "-") for word in words}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file_and_its_heading(page: Path) -> None:
    for link in links_of(page):
        target, _, anchor = link.partition("#")
        if ":" in target:
            continue
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), link
        assert not anchor or path.suffix != ".md" or anchor in anchors_of(path), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_exists(page: Path) -> None:
    text = "\n".join(SPAN.findall(page.read_text(encoding="utf-8")))
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(TARGET.findall(text)) <= targets, "no target of the Makefile"
    assert set(COMMAND.findall(text)) <= {name for names in GROUPS.values() for name in names}, (
        "no command that a group of local/commands/__init__.py lists"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_a_page_use_the_names_that_env_sets(page: Path) -> None:
    stack = Stack("", "", "", "", dict.fromkeys(KEY_OUTPUTS, ""), defaultdict(str))
    code = "\n".join(CODE.findall(page.read_text(encoding="utf-8")))
    assert set(VARIABLE.findall(code)) <= {*local_variables(stack), *PLACEHOLDERS}
    assert not re.search(r"^\s*(?:\w+\(\)|(?:export |read )?(?:API|KEY)\b)", code, re.MULTILINE), "use `hindsight env`"


def test_index_lists_every_page() -> None:
    index = ROOT / "docs/index.md"
    listed = {(index.parent / link.partition("#")[0]).resolve() for link in links_of(index)}
    assert {page for page in PAGES if page.parent == index.parent and page != index} <= listed, (
        "list it in docs/index.md"
    )


def test_changelog_names_each_change_once() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    entries = [entry.partition("\n\n")[0] for entry in re.split(r"^- ", text, flags=re.MULTILINE)[1:]]
    words = {entry: set(re.findall(r"\w+", entry.lower())) for entry in entries}
    assert len(words) == len(entries)
    doubled = [
        (one, other)
        for one, other in combinations(words, 2)
        if len(words[one] & words[other]) > DOUBLED * len(words[one] | words[other])
    ]
    assert not doubled


def test_readme_is_read_in_three_minutes() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (picture,) = re.findall(r"^```mermaid\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(text.splitlines()) <= MAX_README_LINES
    assert len(picture.splitlines()) <= MAX_PICTURE_LINES

"""The record of decisions: each in the index once, under its area."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[3] / "docs/decisions.md").read_text(encoding="utf-8")
INDEX, _, RECORDS = PAGE.partition("\n## Index\n")[2].partition("\n## ")


def test_index_lists_every_decision_once_under_its_area() -> None:
    listed = {
        area: sorted(re.findall(r"\[([^]]+)\]\(#", decisions))
        for area, decisions in re.findall(
            r"^- \*\*\[(.+?)\]\(#.+?\)\*\*:(.*?)(?=^- |\Z)", INDEX, re.MULTILINE | re.DOTALL
        )
    }
    recorded = {
        area.partition("\n")[0]: sorted(re.findall(r"^### (.+)$", area, re.MULTILINE))
        for area in re.split(r"^## ", f"## {RECORDS}", flags=re.MULTILINE)[1:]
    }
    assert listed == recorded
    assert len(recorded) == 12

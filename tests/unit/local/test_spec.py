"""A replay's specification is understood, or refused by the path at fault."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from local.spec import InvalidSpec, load_spec
from tests.unit.configuration.example import DOCUMENT


def written(folder: Path, **changes: Any) -> Path:
    spec = {
        "configuration": "model.yaml",
        "time": {"start": "2026-01-01T00:00:00Z", "rows_per_day": 48},
        "outcome": {"column": "rides", "event": "demand", "known_after": "P1D"},
        "bootstrap": {"rows": 100},
    }
    (folder / "model.yaml").write_text(DOCUMENT, encoding="utf-8")
    (folder / "spec.yaml").write_text(yaml.safe_dump({**spec, **changes}), encoding="utf-8")
    return folder / "spec.yaml"


def test_a_start_may_stand_without_quotes(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text().replace("'2026-01-01T00:00:00Z'", "2026-01-01T00:00:00Z"), encoding="utf-8")

    spec, configuration = load_spec(path)

    assert spec.time.start == "2026-01-01T00:00:00.000000Z"
    assert configuration.model == "bike-demand"


@pytest.mark.parametrize(
    ("changes", "at_fault"),
    [
        ({"colour": "red"}, "colour"),
        ({"bootstrap": {}}, "bootstrap"),
        ({"bootstrap": {"days": 1, "rows": 1}}, "bootstrap"),
        ({"time": {"start": "2026-01-01T00:00:00Z"}}, "time"),
        ({"outcome": {"column": "rides", "event": "demand"}}, "outcome"),
        ({"outcome": {"column": "rides", "event": "typo", "known_after": "P1D"}}, "outcome.event"),
        ({"check_every": "daily"}, "check_every"),
    ],
)
def test_a_typo_is_named_by_its_path(tmp_path: Path, changes: dict[str, Any], at_fault: str) -> None:
    with pytest.raises(InvalidSpec, match=rf"spec\.yaml: .*{at_fault}"):
        load_spec(written(tmp_path, **changes))


def test_a_missing_file_is_an_error_not_a_trace(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec):
        load_spec(tmp_path / "missing.yaml")

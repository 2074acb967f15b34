"""Small files to replay, for the tests of the local package."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import parse_configuration
from local.replay.spec import ReplaySpec
from local.replay.stream import Row, read_stream

START = datetime(2026, 1, 10, tzinfo=UTC)
DOCUMENT: dict[str, Any] = {
    "model": "m",
    "task": "binary",
    "features": {"x": {"type": "numeric"}, "kind": {"type": "categorical"}, "flag": {"type": "boolean"}},
    "labels": {"rules": [{"event": "demand", "kind": "outcome", "window": "P1D"}]},
}
SPEC: dict[str, Any] = {
    "configuration": "configuration.yaml",
    "time": {"start": "2026-01-10T00:00:00Z", "rows_per_day": 2},
    "outcome": {"column": "y", "event": "demand", "known_after": "P1D"},
    "bootstrap": {"rows": 1},
}


def configuration(**changes: Any) -> ModelConfiguration:
    return parse_configuration({**DOCUMENT, **changes})


def spec(**changes: Any) -> ReplaySpec:
    return ReplaySpec.model_validate_json(json.dumps({**SPEC, **changes}))


def rows_of(folder: Path, text: str, configured: ModelConfiguration | None = None, **changes: Any) -> list[Row]:
    path = folder / "rows.csv"
    path.write_text(text, encoding="utf-8")
    stream = read_stream(path, spec(**changes), configured or configuration())
    assert stream.bad == []
    return stream.rows


def bad_lines_of(folder: Path, text: str, configured: ModelConfiguration | None = None, **changes: Any) -> list[str]:
    path = folder / "rows.csv"
    path.write_text(text, encoding="utf-8")
    return [str(bad) for bad in read_stream(path, spec(**changes), configured or configuration()).bad]


def write_spec(folder: Path, document: Any, configured: Any = DOCUMENT) -> Path:
    path = folder / "spec.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")  # JSON is YAML too
    (folder / "configuration.yaml").write_text(json.dumps(configured), encoding="utf-8")
    return path

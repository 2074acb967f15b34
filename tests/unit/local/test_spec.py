from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.replay.demo import SPEC as DEMO
from local.replay.spec import InvalidSpec, load_spec
from tests.unit.local.files import DOCUMENT, SPEC, write_spec


def test_a_specification_is_read_with_its_configuration(tmp_path: Path) -> None:
    spec, configuration = load_spec(write_spec(tmp_path, SPEC))
    assert (spec.outcome.known_after, spec.check_every, spec.bootstrap.rows) == (
        timedelta(days=1),
        timedelta(days=1),
        1,
    )
    assert (configuration.model, list(configuration.features)) == ("m", ["x", "kind", "flag"])


def test_the_demo_s_specification_is_valid() -> None:
    assert load_spec(DEMO)[1].model == "bike-demand"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"bootstap": {"rows": 1}}, "bootstap"),
        ({"outcome": {**SPEC["outcome"], "colum": "y"}}, "outcome.colum"),
        ({"outcome": {"event": "demand", "known_after": "P1D"}}, "outcome.column"),
        ({"outcome": {**SPEC["outcome"], "known_at": "z"}}, "outcome.known_at"),
        ({"outcome": {"column": "y", "event": "demand"}}, "outcome"),
        ({"outcome": {**SPEC["outcome"], "known_after": "a day"}}, "outcome.known_after"),
        ({"time": {"column": "t", "rows_per_day": 2}}, "time.rows_per_day"),
        ({"time": {"rows_per_day": 2}}, "time.start"),
        ({"time": {"column": "t", "start": "2026-01-10T00:00:00Z"}}, "time.start"),
        ({"time": {"start": "2026-01-10T00:00:00Z", "rows_per_day": 0}}, "time.rows_per_day"),
        ({"bootstrap": {}}, "bootstrap"),
        ({"bootstrap": {"rows": 0}}, "bootstrap.rows"),
        ({"bootstrap": {"rows": 1, "days": 1}}, "bootstrap.rows"),
        ({"bootstrap": {"rows": "1"}}, "bootstrap.rows"),
        ({"bootstrap": {"days": True}}, "bootstrap.days"),
        ({"bootstrap": {"days": 10**12}}, "bootstrap.days"),
        ({"time": {"start": "2026-01-10", "rows_per_day": 2}}, "time.start"),
        ({"time": {"start": "9999-12-31T23:59:59Z", "rows_per_day": 2}}, "time.start"),
        ({"time": {"start": "2026-01-10T00:00:00Z", "rows_per_day": "2"}}, "time.rows_per_day"),
        ({"configuration": 3}, "configuration"),
        ({"check_every": "P0D"}, "check_every"),
        ({"features": ["x"]}, "features"),
    ],
)
def test_fault_is_named_by_its_path(tmp_path: Path, changes: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        load_spec(write_spec(tmp_path, {**SPEC, **changes}))
    assert f": {path}: " in refused.value.message


def test_a_specification_that_is_no_mapping_or_no_yaml_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    for text in ("a: [", "", "- 1"):
        broken.write_text(text, encoding="utf-8")
        with pytest.raises(InvalidSpec):
            load_spec(broken)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="absent"):
        load_spec(tmp_path / "absent.yaml")
    path = write_spec(tmp_path, {**SPEC, "configuration": "nowhere.yaml"})
    with pytest.raises(InvalidSpec, match="nowhere"):
        load_spec(path)


def test_a_typo_in_the_configuration_is_named_by_its_path(tmp_path: Path) -> None:
    path = write_spec(tmp_path, SPEC, {**DOCUMENT, "trainig": {}})
    with pytest.raises(InvalidSpec, match=r"configuration\.yaml: trainig: is not a known field"):
        load_spec(path)


def test_replay_under_another_name_renames_the_model_and_without_one_takes_the_file_name(tmp_path: Path) -> None:
    nameless = {name: value for name, value in DOCUMENT.items() if name != "model"}

    assert load_spec(write_spec(tmp_path, SPEC), "again")[1].model == "again"
    assert load_spec(write_spec(tmp_path, SPEC, nameless))[1].model == "configuration"


@pytest.mark.parametrize("key", ["model: a\nmodel: b", "task: !!str binary\n? [x]\n: 1"])
def test_configuration_that_is_no_plain_yaml_is_named_by_its_file(tmp_path: Path, key: str) -> None:
    path = write_spec(tmp_path, SPEC)
    (tmp_path / "configuration.yaml").write_text(key, encoding="utf-8")
    with pytest.raises(InvalidSpec, match=r"configuration\.yaml: "):
        load_spec(path)

"""Artefacts from elsewhere: no code in them runs."""

import io
import json
import pickle
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from hindsight.config.metrics import Task
from hindsight.config.training import Candidate
from hindsight.core.errors import UnusableArtifact
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.training.models.artifact import (
    artifact_digest,
    dump_artifact,
    load_artifact,
    parse_artifact,
    untrusted_types,
)
from tests.unit.training.test_candidates import ODD_ROWS, schema, trained


class Trap:
    """An object that leaves a mark when it is made."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return subprocess.getoutput, (f"touch {self.mark}",)

    def __setstate__(self, state: dict[str, Any]) -> None:
        state["mark"].touch()


def archive(pipeline: Any, **others: Any) -> bytes:
    return skops.io.dumps({"schema": json.dumps(schema(Task.BINARY).to_json()), "pipeline": pipeline, **others})


def entries(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as read:
        return {name: read.read(name) for name in read.namelist()}


def zipped(files: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as target:
        for name, content in files.items():
            target.writestr(name, content)
    return written.getvalue()


def test_a_pickle_is_no_artefact_and_is_not_unpickled(tmp_path: Path) -> None:
    mark = tmp_path / "ran"

    with pytest.raises(UnusableArtifact):
        parse_artifact(pickle.dumps({"schema": "{}", "pipeline": Trap(mark)}))

    assert not mark.exists()


def test_a_pickle_inside_an_artefact_is_not_unpickled(tmp_path: Path) -> None:
    """numpy's format may hold pickled objects; an array of them in place of a model's is refused."""
    mark = tmp_path / "ran"
    files = entries(dump_artifact(trained(Task.BINARY, Candidate.LOGISTIC_REGRESSION)))
    arrays = [name for name in files if name.endswith(".npy")]
    assert arrays
    for name in arrays:
        files[name] = pickle.dumps(Trap(mark))

    with pytest.raises(UnusableArtifact):
        parse_artifact(zipped(files))

    assert not mark.exists()


@pytest.mark.parametrize("place", ["in the pipeline", "beside it", "as it"])
def test_a_type_that_is_not_trusted_is_refused_wherever_it_stands(place: str, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    trap = Trap(mark)
    inside = Pipeline([("trap", FunctionTransformer(kw_args={"x": trap})), ("estimator", LogisticRegression())])
    content = {
        "in the pipeline": lambda: archive(inside),
        "beside it": lambda: archive(LogisticRegression(), extra=trap),
        "as it": lambda: archive(trap),
    }[place]()

    with pytest.raises(UnusableArtifact, match="Untrusted"):
        parse_artifact(content)

    assert not mark.exists()
    assert untrusted_types(content) != []


@pytest.mark.parametrize("function", [subprocess.getoutput, eval, open])
def test_a_function_that_could_do_harm_is_no_transformer(function: Callable[..., Any]) -> None:
    with pytest.raises(UnusableArtifact):
        parse_artifact(archive(Pipeline([("run", FunctionTransformer(function)), ("estimator", LogisticRegression())])))


def test_an_artefact_of_another_program_is_refused() -> None:
    with pytest.raises(UnusableArtifact):
        parse_artifact(skops.io.dumps(LogisticRegression()))
    with pytest.raises(UnusableArtifact):
        parse_artifact(skops.io.dumps({"pipeline": LogisticRegression()}))


def test_another_version_s_artefact_in_its_place_is_refused_by_digest() -> None:
    lake = InMemoryLake()
    ours = dump_artifact(trained(Task.BINARY, Candidate.LOGISTIC_REGRESSION))
    lake.write_bytes("model.skops", dump_artifact(trained(Task.BINARY, Candidate.GRADIENT_BOOSTING)), "")

    with pytest.raises(UnusableArtifact, match="not the one that was registered"):
        load_artifact(lake, "model.skops", artifact_digest(ours))


def test_an_artefact_that_lacks_a_file_is_refused_or_answers_as_if_it_had_it() -> None:
    version = trained(Task.BINARY, Candidate.LOGISTIC_REGRESSION)
    files = entries(dump_artifact(version))
    refused = 0

    for name in files:
        try:
            loaded = parse_artifact(zipped({other: content for other, content in files.items() if other != name}))
        except UnusableArtifact:
            refused += 1
        else:
            assert loaded.score(ODD_ROWS) == version.score(ODD_ROWS)

    assert refused >= len(files) - 1  # of an empty array only the type is read


def test_a_description_that_names_another_type_is_refused() -> None:
    files = entries(dump_artifact(trained(Task.BINARY, Candidate.LOGISTIC_REGRESSION)))
    renamed = files["schema.json"].replace(b'"__class__": "LogisticRegression"', b'"__class__": "Popen"')
    renamed = renamed.replace(b'"__module__": "sklearn.linear_model._logistic"', b'"__module__": "subprocess"')
    assert renamed != files["schema.json"]

    with pytest.raises(UnusableArtifact, match="Untrusted"):
        parse_artifact(zipped({**files, "schema.json": renamed}))

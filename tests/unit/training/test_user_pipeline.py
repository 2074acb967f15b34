"""The deployment's own pipeline: trained, saved, refused and blamed like any other candidate, and never a way in."""

import os
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

import pipelines
from hindsight.config.metrics import Task
from hindsight.config.training import Candidate, Training
from hindsight.core.errors import UnusableArtifact, UnusablePipeline
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.training.fitting.pipeline_spec import PipelineSpec
from hindsight.training.models.artifact import dump_artifact, parse_artifact
from hindsight.training.models.scoring import LoadedVersion
from hindsight.training.train import TrainingResult, train_candidate
from tests.unit.training.test_candidates import ODD_ROWS, schema
from tests.unit.training.trainings import part, training_job

ROOT = Path(__file__).parents[3]


def trained(task: Task = Task.BINARY, name: str = "example:smooth") -> LoadedVersion:
    spec = PipelineSpec(Candidate.CUSTOM, schema(task), Training(pipeline=name), {})
    return spec.train(part(300, task=task.value))


@pytest.fixture
def ours() -> Iterator[types.ModuleType]:
    """A module of the deployment, to put functions in."""
    module = types.ModuleType("pipelines.ours")
    sys.modules["pipelines.ours"] = module
    yield module
    del sys.modules["pipelines.ours"]


def failing(raised: Exception) -> Callable[..., Any]:
    def build(*_: object) -> Any:
        raise raised

    return build


@pytest.mark.parametrize("task", list(Task))
def test_it_answers_the_same_after_it_was_saved(task: Task) -> None:
    version = trained(task)
    content = dump_artifact(version)

    assert parse_artifact(content).score(ODD_ROWS) == version.score(ODD_ROWS)
    assert dump_artifact(trained(task)) == content


def test_it_becomes_a_version_by_the_same_step_as_the_others() -> None:
    lake = InMemoryLake()
    job = training_job(lake, Candidate.CUSTOM, training={"pipeline": "example:smooth", "window": "P60D"})

    made = train_candidate(lake, job)

    assert isinstance(made, TrainingResult)
    assert (made.candidate, made.version[-7:]) == ("custom", "-custom")
    assert made.validation_score is not None
    assert made.validation_score > 0.8


def test_another_process_loads_it_without_having_trained_it(tmp_path: Path) -> None:
    artifact = tmp_path / "model.skops"
    artifact.write_bytes(dump_artifact(trained()))
    code = (
        "import sys; from hindsight.training.models.artifact import parse_artifact;"
        "version = parse_artifact(open(sys.argv[1], 'rb').read());"
        "print(version.score([{'temperature': 1.5, 'hour': 9}])[0].score)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    other = subprocess.run(
        [sys.executable, "-c", code, str(artifact)], capture_output=True, text=True, check=True, env=environment
    )

    assert float(other.stdout) == trained().score([{"temperature": 1.5, "hour": 9}])[0].score


def test_a_deployment_that_does_not_trust_its_types_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    content = dump_artifact(trained())
    monkeypatch.setattr(pipelines, "TRUSTED_TYPES", ())

    with pytest.raises(UnusableArtifact, match="Untrusted"):
        parse_artifact(content)


def test_untrusted_types_are_found_in_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines, "TRUSTED_TYPES", ())
    lake = InMemoryLake()
    job = training_job(lake, Candidate.CUSTOM, training={"pipeline": "example:smooth", "window": "P60D"})

    with pytest.raises(UnusablePipeline, match=r"pipelines\.example\.Winsorizer"):
        train_candidate(lake, job)

    assert [key for key in lake.objects if key.startswith("models/")] == []


def test_every_type_the_deployment_trusts_exists() -> None:
    for name in pipelines.TRUSTED_TYPES:
        module, _, attribute = name.rpartition(".")
        assert hasattr(__import__(module, fromlist=[attribute]), attribute), name


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("nowhere:build", r"pipelines\.nowhere cannot be imported: there is no module 'pipelines\.nowhere'"),
        ("example:woods", r"pipelines\.example has no function 'woods'"),
        ("os:system", r"pipelines\.os cannot be imported"),
    ],
)
def test_a_name_that_was_not_deployed_is_refused(name: str, pattern: str) -> None:
    with pytest.raises(UnusablePipeline, match=pattern):
        trained(name=name)


def test_error_of_the_pipeline_names_its_line_and_no_values(ours: types.ModuleType) -> None:
    ours.build = failing(ValueError("could not convert 'Jane Doe, 12 High Street'"))  # type: ignore[attr-defined]

    with pytest.raises(UnusablePipeline) as refused:
        trained(name="ours:build")

    assert refused.value.message == "ours:build failed: ValueError"
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_untrainable_pipeline_is_reported(ours: types.ModuleType) -> None:
    def build(*_: object) -> Pipeline:
        return Pipeline([("nothing", FunctionTransformer()), ("estimator", KNeighborsClassifier(10_000))])

    ours.build = build  # type: ignore[attr-defined]
    with pytest.raises(UnusablePipeline, match="the pipeline cannot be trained: ValueError"):
        trained(name="ours:build")


def test_pipeline_that_cannot_answer_the_task_is_refused_before_training(ours: types.ModuleType) -> None:
    ours.build = lambda *_: FunctionTransformer()  # type: ignore[attr-defined]

    with pytest.raises(UnusablePipeline, match="has no predict_proba"):
        trained(name="ours:build")


def test_one_that_takes_no_weights_is_trained_without(ours: types.ModuleType) -> None:
    def build(*_: object) -> Pipeline:
        return Pipeline([("only_numbers", FunctionTransformer(_lengths)), ("estimator", KNeighborsClassifier())])

    ours.build = build  # type: ignore[attr-defined]
    training = Training(pipeline="ours:build", class_weight="balanced")

    version = PipelineSpec(Candidate.CUSTOM, schema(Task.BINARY), training, {}).train(part(200))

    assert version.recalibration is None


def test_an_estimator_need_not_be_a_pipeline(ours: types.ModuleType) -> None:
    ours.build = lambda *_: DummyClassifier(strategy="prior")  # type: ignore[attr-defined]

    version = trained(name="ours:build")

    assert parse_artifact(dump_artifact(version)).score([{}])[0].score == pytest.approx(0.5, abs=0.1)


def _lengths(frame: pd.DataFrame) -> Any:
    return np.nan_to_num(frame[["temperature"]].to_numpy())

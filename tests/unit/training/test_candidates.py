"""Every candidate on every task: trained, saved, loaded, and of one mind before and after."""

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from hindsight.config.features import FeatureType
from hindsight.config.metrics import DEFAULT_METRIC, Task
from hindsight.config.training import Candidate
from hindsight.core.errors import UnusableArtifact
from hindsight.evaluation.metrics import as_targets
from hindsight.registry.schema import Schema
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.training.models.artifact import artifact_digest, dump_artifact, load_artifact, parse_artifact
from hindsight.training.models.candidates import build, fit
from hindsight.training.models.frame import to_frame
from hindsight.training.models.scoring import LoadedVersion, class_codes
from tests.unit.training.world import learnable

FEATURES = {
    "temperature": FeatureType.NUMERIC,
    "hour": FeatureType.CATEGORICAL,
    "holiday": FeatureType.BOOLEAN,
    "always_missing": FeatureType.NUMERIC,
    "never_given": FeatureType.CATEGORICAL,
}
CLASSES = {Task.BINARY: ("0", "1"), Task.MULTICLASS: ("high", "low", "middle"), Task.REGRESSION: ()}
COMBINATIONS = [
    (task, candidate)
    for task in Task
    for candidate in (Candidate.LOGISTIC_REGRESSION, Candidate.LINEAR_REGRESSION, Candidate.GRADIENT_BOOSTING)
    if candidate is not (Candidate.LOGISTIC_REGRESSION if task is Task.REGRESSION else Candidate.LINEAR_REGRESSION)
]


def schema(task: Task, features: dict[str, FeatureType] | None = None) -> Schema:
    return Schema(
        model="demand",
        version="v1",
        task=task,
        metric=DEFAULT_METRIC[task],
        features=features or FEATURES,
        classes=CLASSES[task],
    )


def trained(task: Task, candidate: Candidate, rows: int = 300) -> LoadedVersion:
    examples = learnable(rows, task.value)
    shape = schema(task)
    frame = to_frame([example.features for example in examples], FEATURES)
    labels = as_targets([example.value for example in examples if example.value is not None], task)
    return LoadedVersion(shape, fit(build(candidate, shape, frame, 7), frame, class_codes(labels, shape)))


ODD_ROWS: list[dict[str, Any]] = [
    {"temperature": 1.5, "hour": 9, "holiday": False, "always_missing": None},
    {"temperature": None, "hour": None, "holiday": None},
    {},
    {"temperature": 1e308, "hour": "an hour never seen", "holiday": True, "always_missing": 3.0},
    {"temperature": "warm", "hour": 9.0, "holiday": "yes", "undeclared": 1},
]


@pytest.mark.parametrize(("task", "candidate"), COMBINATIONS)
def test_a_version_answers_the_same_after_it_was_saved(task: Task, candidate: Candidate) -> None:
    version = trained(task, candidate)
    content = dump_artifact(version)
    loaded = parse_artifact(content)
    assert loaded.schema == version.schema
    assert loaded.score(ODD_ROWS) == version.score(ODD_ROWS)
    assert dump_artifact(trained(task, candidate)) == content


@pytest.mark.parametrize(("task", "candidate"), COMBINATIONS)
def test_one_row_is_scored_as_it_is_among_many(task: Task, candidate: Candidate) -> None:
    version = trained(task, candidate)
    together = version.score(ODD_ROWS)
    alone = [version.score([row])[0] for row in ODD_ROWS]
    assert [answer.decision for answer in together][:1] == [answer.decision for answer in alone][:1]
    assert [answer.score for answer in together] == pytest.approx([answer.score for answer in alone], rel=1e-9)
    assert version.score([]) == []


def test_answers_have_the_form_of_their_task() -> None:
    hot = [{"temperature": 3.0, "hour": 12, "holiday": False}]
    binary = trained(Task.BINARY, Candidate.LOGISTIC_REGRESSION).score(hot)[0]
    assert binary.decision == 1
    assert type(binary.decision) is int
    assert 0.9 < binary.score <= 1
    multiclass = trained(Task.MULTICLASS, Candidate.LOGISTIC_REGRESSION).score(hot)[0]
    assert multiclass.decision == "high"
    assert multiclass.probabilities is not None
    assert multiclass.score == multiclass.probabilities["high"] == max(multiclass.probabilities.values())
    assert sum(multiclass.probabilities.values()) == pytest.approx(1)
    regression = trained(Task.REGRESSION, Candidate.LINEAR_REGRESSION).score(hot)[0]
    assert regression.decision == regression.score == pytest.approx(4, abs=0.5)


def test_equal_versions_have_equal_bytes_in_every_process() -> None:
    code = (
        "from tests.unit.training.test_candidates import *;"
        "print(artifact_digest(dump_artifact(trained(Task.BINARY, Candidate.GRADIENT_BOOSTING))))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": os.pathsep.join(sys.path)}
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    here = artifact_digest(dump_artifact(trained(Task.BINARY, Candidate.GRADIENT_BOOSTING)))
    assert other.stdout.strip() == here


def test_an_artefact_that_was_tampered_with_is_refused() -> None:
    lake = InMemoryLake()
    content = dump_artifact(trained(Task.BINARY, Candidate.LOGISTIC_REGRESSION))
    lake.write_bytes("model.skops", content, "application/octet-stream")
    digest = artifact_digest(content)
    assert load_artifact(lake, "model.skops", digest).schema.version == "v1"
    lake.objects["model.skops"] = content[:-1] + bytes([content[-1] ^ 1])
    with pytest.raises(UnusableArtifact, match="not the one"):
        load_artifact(lake, "model.skops", digest)
    with pytest.raises(UnusableArtifact, match="does not exist"):
        load_artifact(lake, "elsewhere", digest)


def test_types_that_are_not_trusted_are_never_loaded() -> None:
    import skops.io

    content = skops.io.dumps({"schema": json.dumps(schema(Task.BINARY).to_json()), "pipeline": subprocess.Popen})
    with pytest.raises(UnusableArtifact, match="Untrusted"):
        parse_artifact(content)


@pytest.mark.parametrize("content", [b"", b"not an archive", b"\x80\x04\x95pickled"])
def test_bytes_that_are_no_artefact_are_refused(content: bytes) -> None:
    with pytest.raises(UnusableArtifact):
        parse_artifact(content)


def test_an_estimator_that_cannot_score_says_so_without_the_rows() -> None:
    broken = LoadedVersion(schema(Task.BINARY), pipeline=object())
    with pytest.raises(UnusableArtifact, match="v1 cannot score: AttributeError"):
        broken.score([{"temperature": 1.0}])


def test_columns_are_typed_and_unfit_values_are_missing() -> None:
    frame = to_frame(ODD_ROWS, FEATURES)
    assert frame["hour"].tolist() == ["9", None, None, "an hour never seen", "9"]
    assert frame["temperature"].tolist()[0] == 1.5
    assert frame["temperature"].isna().tolist() == [False, True, True, False, True]
    assert frame["holiday"].isna().tolist() == [False, True, True, False, True]
    assert np.isfinite(frame["temperature"].dropna()).all()
    assert list(frame.columns) == list(FEATURES)
    assert to_frame([], FEATURES).shape == (0, 5)


def test_five_hundred_columns_and_thirty_classes_train_in_reasonable_time() -> None:
    rng = np.random.default_rng(0)
    features = {f"column {number}": FeatureType.NUMERIC for number in range(500)}
    names = tuple(sorted(f"class {number}" for number in range(30)))
    labels = np.array(names)[rng.integers(30, size=600)]
    frame = to_frame([dict(zip(features, row, strict=True)) for row in rng.normal(size=(600, 500)).tolist()], features)
    shape = Schema(
        model="m",
        version="v",
        task=Task.MULTICLASS,
        metric=DEFAULT_METRIC[Task.MULTICLASS],
        features=features,
        classes=names,
    )
    started = time.monotonic()
    pipeline = fit(build(Candidate.LOGISTIC_REGRESSION, shape, frame, 7), frame, class_codes(labels, shape))
    answers = LoadedVersion(shape, pipeline).predict(frame)
    assert answers.probabilities is not None
    assert answers.probabilities.shape == (600, 30)
    assert timedelta(seconds=time.monotonic() - started) < timedelta(seconds=30)


@pytest.mark.parametrize("candidate", [Candidate.LOGISTIC_REGRESSION, Candidate.GRADIENT_BOOSTING])
def test_columns_that_never_vary_do_no_harm(candidate: Candidate) -> None:
    features = {name: kind for kind in FeatureType for name in (f"{kind}_constant", f"{kind}_sparse")}
    values = {FeatureType.NUMERIC: 3, FeatureType.CATEGORICAL: "a", FeatureType.BOOLEAN: True}
    rows = [
        {f"{kind}_constant": value for kind, value in values.items()}
        | {f"{kind}_sparse": value if position == 5 else None for kind, value in values.items()}
        for position in range(60)
    ]
    frame, shape = to_frame(rows, features), schema(Task.BINARY, features)
    version = LoadedVersion(shape, fit(build(candidate, shape, frame, 7), frame, np.arange(60) % 2))
    assert [answer.score for answer in parse_artifact(dump_artifact(version)).score([{}, rows[0]])] == [
        pytest.approx(0.5, abs=0.2)
    ] * 2


def test_a_class_the_estimator_never_met_has_no_chance() -> None:
    shape = schema(Task.MULTICLASS)
    examples = [row for row in learnable(300, "multiclass") if row.value != "low"]
    frame = to_frame([row.features for row in examples], FEATURES)
    labels = np.array([row.value for row in examples])
    pipeline = fit(build(Candidate.LOGISTIC_REGRESSION, shape, frame, 7), frame, class_codes(labels, shape))
    answer = LoadedVersion(shape, pipeline).score([{"temperature": -3.0, "hour": 1}])[0]
    assert answer.probabilities is not None
    assert answer.probabilities["low"] == 0

"""From a dataset to a verdict, with the lake and the registry in memory."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from hindsight.adapters.fresh_process import FreshProcess
from hindsight.config.metrics import Metric
from hindsight.config.store import ConfigurationRevision
from hindsight.config.training import Candidate, Deployment
from hindsight.core.errors import UnusableArtifact, UnusableDataset
from hindsight.datasets.building.snapshot import Dataset, take_snapshot
from hindsight.datasets.champion import champion_features
from hindsight.lake.object_store import version_prefix
from hindsight.registry.version import Verdict, VersionRecord
from hindsight.rollout.deployment import deploy
from hindsight.runs.run import RetrainingRun
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.models.registry import InMemoryRegistry
from hindsight.training.gate import smoke_run as smoke_run_module
from hindsight.training.gate.smoke_run import smoke_run
from hindsight.training.gate.smoke_test import RunSmoke
from hindsight.training.gate.validate import ValidationJob, best_candidate, validate
from hindsight.training.train import TrainingJob, train_candidate
from tests.unit.training.world import MODEL, START, learnable, revision, run, store

AS_OF = START + timedelta(days=30)
LINEAR = [Candidate.LOGISTIC_REGRESSION]


class World:
    """One model's lake and registry, and the steps of its runs."""

    def __init__(self, **sections: Any) -> None:
        self.lake, self.registry = InMemoryLake(), InMemoryRegistry()
        self.revision = revision(**sections)
        store(self.lake, learnable(600))

    def train(
        self, run: RetrainingRun, candidates: list[Candidate], configured: ConfigurationRevision | None = None
    ) -> ValidationJob:
        chosen = configured or self.revision
        champion = champion_features(self.lake, self.registry, run.model)
        taken = take_snapshot(self.lake, chosen, run.as_of, champion_features=champion)
        assert isinstance(taken, Dataset), taken
        jobs = [
            TrainingJob(
                run=run,
                manifest=taken.manifest,
                configuration=chosen.configuration,
                candidate=candidate,
                code_version="test",
            )
            for candidate in candidates
        ]
        return ValidationJob(
            run=run,
            manifest=taken.manifest,
            configuration=chosen.configuration,
            trained=[train_candidate(self.lake, job).to_plain() for job in jobs],
            code_version="test",
        )

    def judge(self, job: ValidationJob) -> VersionRecord:
        return validate(self.lake, self.registry, job, ticking())

    def promote(self, record: VersionRecord, run: RetrainingRun) -> None:
        self.registry.lock_holders[MODEL] = run.fencing_token
        deploy(self.registry, run, record.version, Deployment(), lambda _: None)


def ticking(step: float = 0.01) -> RunSmoke:
    """Run the smoke test in this process, by a clock that moves on with every look."""
    seconds: Iterator[int] = count()
    return lambda content, digest, rows: smoke_run(content, digest, rows, lambda: next(seconds) * step)


def failed(record: VersionRecord) -> list[str]:
    return [check.name for check in record.checks if not check.passed]


def test_a_first_version_is_judged_by_floor_and_baseline_with_its_lineage() -> None:
    world = World(gate={"floor": 0.7})
    job = world.train(run(AS_OF), [Candidate.LOGISTIC_REGRESSION, Candidate.GRADIENT_BOOSTING])
    record = world.judge(job)
    assert record.verdict is Verdict.PROMOTE
    assert {"floor", "better_than_baseline", "golden_rows", "serving_inputs", "latency_seconds", "artifact_bytes"} <= {
        check.name for check in record.checks
    }
    assert (record.decision_id, record.dataset_id) == ("decision-1", job.manifest.dataset_id)
    assert (record.configuration_revision, record.code_version) == (1, "test")
    assert record.metrics["accuracy"] > 0.8
    assert (record.compared_with, record.pointer_sequence) == (None, 0)
    assert [candidate["candidate"] for candidate in record.candidates] == ["logistic_regression", "gradient_boosting"]


@pytest.mark.parametrize("candidate", [Candidate.LOGISTIC_REGRESSION, Candidate.GRADIENT_BOOSTING])
def test_features_logged_from_the_middle_on_are_learnt_from_the_rows_that_have_them(candidate: Candidate) -> None:
    world = World()
    world.lake = InMemoryLake()
    bare = dict.fromkeys(("temperature", "hour", "holiday"))
    store(world.lake, [replace(row, features=bare) if row.prediction_id < "p00330" else row for row in learnable(600)])

    record = world.judge(world.train(run(AS_OF), [candidate]))

    assert failed(record) in ([], ["better_than_baseline"])
    assert record.metrics["roc_auc"] > 0.6


def test_a_version_below_the_floor_is_rejected_with_the_reason() -> None:
    world = World(gate={"floor": 0.999})
    record = world.judge(world.train(run(AS_OF), LINEAR))
    assert record.verdict is Verdict.REJECT
    assert failed(record) == ["floor"]
    assert "floor is 0.999" in record.reasons[0]


def test_an_equal_challenger_stays_out_and_one_that_follows_a_change_gets_in() -> None:
    world = World()
    first = run(AS_OF)
    world.promote(world.judge(world.train(first, LINEAR)), first)
    equal = world.judge(world.train(run(AS_OF, "decision-2", 2), LINEAR))
    assert failed(equal) == ["better_than_champion"]
    turned = [
        replace(
            row,
            prediction_id=f"t{position}",
            occurred_at=row.occurred_at + timedelta(days=30),
            outcome_due_at=due,
            known_at=due,
        )
        for position, row in enumerate(learnable(700, seed=1, flip=True))
        for due in [row.outcome_due_at + timedelta(days=30)]
    ]
    store(world.lake, turned)
    later = run(AS_OF + timedelta(days=40), "decision-3", 3)
    better = world.judge(world.train(later, LINEAR, revision(number=2, training={"window": "P38D"})))
    assert better.verdict is Verdict.PROMOTE
    assert better.champion_metrics is not None
    assert better.metrics["accuracy"] > 0.8
    assert better.champion_metrics["accuracy"] < 0.5
    assert (better.compared_with or "").startswith("v20260331")
    assert better.pointer_sequence == 1


def test_a_repeated_validation_returns_the_first_verdict_though_the_champion_has_changed_since() -> None:
    world = World()
    first = run(AS_OF)
    job = world.train(first, LINEAR)
    record = world.judge(job)
    world.promote(record, first)
    assert world.judge(job) == record


@pytest.mark.parametrize("damage", ["missing", "altered"])
def test_a_champion_that_cannot_be_loaded_is_said_and_the_challenger_judged_as_a_first_version(damage: str) -> None:
    world = World()
    first = run(AS_OF)
    record = world.judge(world.train(first, LINEAR))
    world.promote(record, first)
    if damage == "missing":
        del world.lake.objects[record.artifact_key]
    else:
        world.lake.objects[record.artifact_key] += b"!"
    second = world.judge(world.train(run(AS_OF, "decision-2", 2), LINEAR))
    assert second.verdict is Verdict.PROMOTE
    assert second.compared_with is None
    assert "could not be scored" in second.notes[0]
    assert record.version in second.notes[0]


def test_a_champion_with_other_features_is_read_with_its_own() -> None:
    world = World()
    first = run(AS_OF)
    world.promote(world.judge(world.train(first, LINEAR)), first)
    features = {"temperature": {"type": "numeric"}, "wind": {"type": "numeric"}}
    other = revision(number=2, features=features)
    record = world.judge(world.train(run(AS_OF, "decision-2", 2), LINEAR, other))
    assert record.champion_metrics is not None
    assert record.champion_metrics["accuracy"] > record.metrics["accuracy"]
    assert "better_than_champion" in failed(record)


def test_a_challenger_whose_artefact_was_altered_is_rejected() -> None:
    world = World()
    job = world.train(run(AS_OF), LINEAR)
    world.lake.objects[job.trained[0]["artifact_key"]] += b"!"
    record = world.judge(job)
    assert record.verdict is Verdict.REJECT
    assert failed(record) == ["artifact_loads"]


def test_a_challenger_that_answers_other_than_when_it_was_trained_is_rejected() -> None:
    world = World()
    job = world.train(run(AS_OF), LINEAR)
    key = version_prefix(MODEL, job.trained[0]["version"]) + "golden.json"
    golden = world.lake.objects[key]
    world.lake.objects[key] = golden.replace(b'"score":0.', b'"score":0.5', 1)
    assert failed(world.judge(job)) == ["golden_rows"]


def test_a_challenger_that_is_too_slow_is_rejected() -> None:
    world = World()
    job = world.train(run(AS_OF), LINEAR)
    assert failed(validate(world.lake, world.registry, job, ticking(1.5))) == ["latency_seconds"]


def test_the_artefact_is_tried_in_a_process_of_its_own() -> None:
    world = World()
    job = world.train(run(AS_OF), LINEAR)
    record = validate(world.lake, world.registry, job, FreshProcess(dict(os.environ)))
    assert record.verdict is Verdict.PROMOTE
    checks = {check.name: check for check in record.checks}
    assert checks["golden_rows"].value == 0.0
    assert 0 < (checks["latency_seconds"].value or 0) < 1
    assert 0 < (checks["load_seconds"].value or 0) < 10


@pytest.mark.parametrize("seconds", [60.0, 0.001])
def test_a_process_that_dies_or_hangs_rejects_the_challenger(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    job = world.train(run(AS_OF), LINEAR)
    # An interpreter that finds no such module ends at once.
    monkeypatch.setattr(smoke_run_module, "__name__", "nowhere")
    record = validate(world.lake, world.registry, job, FreshProcess(dict(os.environ), seconds))
    assert record.verdict is Verdict.REJECT
    assert failed(record) == ["artifact_loads"]
    assert ("ended with status 1" if seconds == 60.0 else "did not answer within") in record.reasons[0]


def test_fresh_process_refuses_an_artefact_with_another_digest() -> None:
    with pytest.raises(UnusableArtifact, match="not the one that was registered"):
        FreshProcess(dict(os.environ))(b"something else", "00", [])


def test_a_repeated_training_writes_the_same_bytes() -> None:
    world = World()
    world.train(run(AS_OF), list(world.revision.configuration.candidates))
    before = dict(world.lake.objects)
    world.train(run(AS_OF), list(world.revision.configuration.candidates))
    assert world.lake.objects == before


@pytest.mark.parametrize(
    ("metric", "scores", "best"),
    [
        (Metric.ACCURACY, [0.8, 0.9, 0.9], 1),
        (Metric.LOG_LOSS, [0.8, 0.3, 0.5], 1),
        (Metric.ACCURACY, [None, 0.1], 1),
        (Metric.LOG_LOSS, [None, 9.0], 1),
        (Metric.ACCURACY, [None, None], 0),
    ],
)
def test_the_best_candidate_follows_the_metric(metric: Metric, scores: list[float | None], best: int) -> None:
    trained = [
        {"candidate": str(position), "artifact_key": "k", "validation_score": score}
        for position, score in enumerate(scores)
    ]
    assert best_candidate([{"candidate": "x", "error": "Oops"}, *trained], metric)["candidate"] == str(best)


def test_a_run_in_which_nothing_could_be_trained_fails_and_says_why() -> None:
    with pytest.raises(UnusableDataset, match=r"no candidate could be trained: x: UnusablePipeline: a\.py:3; y: Oops"):
        best_candidate(
            [{"candidate": "x", "error": "UnusablePipeline: a.py:3"}, {"candidate": "y", "error": "Oops"}],
            Metric.ACCURACY,
        )


def test_a_version_that_cannot_be_loaded_is_never_pointed_at() -> None:
    world = World()
    first = run(AS_OF)
    record = world.judge(world.train(first, LINEAR))
    world.registry.lock_holders[MODEL] = 1

    def refuse(_: VersionRecord) -> None:
        raise UnusableArtifact("gone")

    with pytest.raises(UnusableArtifact):
        deploy(world.registry, first, record.version, Deployment(), refuse)
    assert world.registry.pointer(MODEL) is None

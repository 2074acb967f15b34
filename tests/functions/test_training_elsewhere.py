"""A run that asks another trainer for its version, through the handlers: requested, scored, judged, registered."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest

from functions.decide_versions.app import handler as decide_versions
from functions.deploy.app import handler as deploy
from functions.finalize_run.app import handler as finalize
from functions.register_version.app import handler as register_version
from functions.request_version.app import handler as request_version
from functions.snapshot.app import handler as snapshot
from hindsight.bootstrap import retraining, stores
from hindsight.core.errors import StaleRun
from hindsight.core.times import format_time
from hindsight.datasets.dataset import read_manifest
from hindsight.datasets.part import read_arrays, texts_in
from hindsight.entities.label_row import LabelRow
from hindsight.lake.object_store import dataset_prefix
from hindsight.profiles.reference import read_baseline
from hindsight.registry.external_version import external_version
from hindsight.registry.moves import AuditInfo, Servable, promote
from hindsight.testing.aws.announcements import InMemoryAnnouncements
from hindsight.testing.models.approvals import InMemoryTasks
from tests.functions import reads
from tests.functions.requests import paths, send
from tests.functions.test_retraining_steps import run_event, trigger
from tests.unit.training.world import MODEL, START, learnable, revision, store

AS_OF = datetime(2026, 4, 20, tzinfo=UTC)
TOKEN = "AQCEAAAAKgAAAAMAAAAAAAAAAfs2l0k5JYz"
Event = dict[str, Any]
Sample = Callable[[str], Event]


@pytest.fixture
def rows() -> list[LabelRow]:
    """Predictions of a champion that knows little of what then happened."""
    dice = np.random.default_rng(3)
    found = []
    for row in learnable(1000):
        score = float(np.clip(0.5 + (0.15 if row.value else -0.15) + dice.normal(0, 0.2), 0, 1))
        found.append(replace(row, model_version="ours-1", score=score, decision=int(score >= 0.5)))
    return found


@pytest.fixture
def tasks(deployed: None, rows: list[LabelRow], monkeypatch: pytest.MonkeyPatch) -> InMemoryTasks:
    """A model that is served and trained elsewhere, its champion's labelled predictions, and a bus and its tasks."""
    settings: Any = {"serving": "external", "training": {"engine": "external", "window": "P60D", "deadline": "P3D"}}
    stores.configurations().put(revision(**settings, gate={"approval": True}).configuration, START)
    store(stores.lake(), rows)
    stores.registry().put_version(MODEL, external_version("ours-1", 1, START))
    audit = AuditInfo(reason="the first", actor="key:operator", at=START)
    step = promote(None, Servable(version="ours-1", artifact_key="", artifact_digest=""), audit)
    stores.registry().move_pointer(MODEL, step)
    waiting, bus = InMemoryTasks(TOKEN), InMemoryAnnouncements()
    monkeypatch.setattr(retraining, "StepFunctionsTasks", lambda _client: waiting)
    monkeypatch.setattr(stores, "announcements", lambda: bus)
    return waiting


@pytest.fixture
def bus(tasks: InMemoryTasks) -> InMemoryAnnouncements:
    found = stores.announcements()
    assert isinstance(found, InMemoryAnnouncements)
    return found


@pytest.fixture
def dataset_id(tasks: InMemoryTasks, context: Any) -> str:
    """The dataset of a run that waits for a version."""
    run = trigger(run_event())
    ready = snapshot(run, context)
    assert (ready["status"], ready["candidates"], ready["deadline_seconds"]) == ("ready", ["external"], 3 * 86_400)
    found: str = ready["dataset_id"]
    asked = request_version(waiting_step(found), context)
    assert asked["expires_at"] == format_time(AS_OF + timedelta(days=3))
    assert TOKEN not in json.dumps(asked)
    return found


def waiting_step(dataset_id: str, **changes: Any) -> Event:
    return {
        **run_event(),
        "dataset_id": dataset_id,
        "task_token": TOKEN,
        "entered_at": format_time(AS_OF),
        "expires_in_seconds": 3 * 86_400,
        **changes,
    }


def holdout_ids(dataset_id: str) -> list[str]:
    manifest = read_manifest(stores.lake(), MODEL, dataset_id)
    return texts_in(read_arrays(stores.lake(), manifest, "holdout"), "prediction_id")


def upload(rows: list[LabelRow], dataset_id: str, *, knowing: float, **changes: Any) -> str:
    """Put scores into the lake of a version that knows so much; return their key."""
    dice, values = np.random.default_rng(5), {row.prediction_id: row.value for row in rows}
    lines = [
        {
            "prediction_id": name,
            "score": float(np.clip(0.5 + (knowing if values[name] else -knowing) + dice.normal(0, 0.05), 0, 1)),
        }
        | changes
        for name in holdout_ids(dataset_id)
    ]
    return put_rows(lines)


def put_rows(lines: list[dict[str, Any]]) -> str:
    status, signed = send(register_version, "register_version", {}, path=f"/models/{MODEL}/uploads", **ROUTE)
    assert (status, signed["key"].startswith(f"uploads/model={MODEL}/")) == (200, True)
    assert signed["key"] in unquote(signed["url"])
    stores.lake().write_lines(signed["key"], lines)
    key: str = signed["key"]
    return key


ROUTE = {"resource": "/models/{model}/uploads"}


def register(**body: Any) -> tuple[int, Any]:
    return send(register_version, "register_version", body, path=f"/models/{MODEL}/versions")


def test_the_samples_pass(tasks: InMemoryTasks, sample: Sample, context: Any) -> None:
    assert send(register_version, "register_version", path=f"/models/{MODEL}/versions")[0] == 200
    event = sample("request_version") | run_event()
    event["dataset_id"] = snapshot(trigger(run_event()), context)["dataset_id"]
    assert request_version(event, context)["decision_id"] == "retrain-1"


def test_a_run_asks_with_all_that_a_trainer_needs_and_keeps_its_token(
    dataset_id: str, bus: InMemoryAnnouncements
) -> None:
    [asked] = bus.published
    data = asked.detail()["data"]
    assert (asked.name, asked.correlation_id, data["dataset_id"]) == ("RetrainingRequested", "retrain-1", dataset_id)
    prefix = dataset_prefix(MODEL, dataset_id)
    assert f"{prefix}train.parquet" in unquote(data["parts"]["train"]["url"])
    assert f"{prefix}holdout-unlabelled.parquet" in unquote(data["parts"]["holdout"]["url"])
    assert data["upload"]["key"].startswith(f"uploads/model={MODEL}/")
    assert data["rows"]["holdout"] == len(holdout_ids(dataset_id))
    assert TOKEN not in json.dumps(data)
    _, status = reads.get(MODEL)
    assert status["waiting_for_version"]["dataset_id"] == dataset_id
    run = stores.trigger_store().load(MODEL).open_run
    assert run is not None
    assert run.lease_expires_at == AS_OF + timedelta(days=4)


def test_better_version_passes_the_gate_and_its_run_goes_on_to_deploy_it(
    dataset_id: str, rows: list[LabelRow], tasks: InMemoryTasks, context: Any
) -> None:
    body = {"version": "ours-2", "dataset_id": dataset_id, "description": "deeper"}
    body["holdout_scores_key"] = upload(rows, dataset_id, knowing=0.4)
    status, made = register(**body)
    assert (status, made["verdict"], made["decision_id"]) == (200, "promote", "retrain-1")
    assert register(**body) == (status, made)
    assert register(**body | {"description": "another"})[0] == 409
    [output] = tasks.answers.values()
    assert output == {
        "version": "ours-2",
        "verdict": "promote",
        "reasons": [],
        "approval": {"required": True, "seconds": 3 * 86_400},
    }
    _, shown = reads.get(f"{MODEL}/versions/ours-2")
    checks = {check["name"]: check["passed"] for check in shown["gate"]["checks"]}
    assert checks == {"floor": True, "better_than_champion": True}
    assert shown["gate"]["compared_with"] == "ours-1"
    assert shown["gate"]["champion_metrics"]["roc_auc"] < shown["metrics"]["roc_auc"]
    assert shown["gate"]["notes"][:2] == ["deeper", "no smoke test: the artefact is with its maker"]
    assert shown["lineage"]["dataset_id"] == dataset_id
    assert "artifact_url" not in shown
    assert reads.get(MODEL)[1]["waiting_for_version"] is None

    deployed = deploy({**run_event(), "version": "ours-2"}, context)

    assert (deployed["previous"], deployed["strategy"]) == ("ours-1", "direct")
    assert finalize({**run_event(), "outcome": "promoted", "version": "ours-2"}, context)["finalized"]
    assert stores.trigger_store().load(MODEL).last_dataset_id == dataset_id
    pointer = stores.registry().pointer(MODEL)
    assert pointer is not None
    assert (pointer.champion, pointer.previous, pointer.is_external) == ("ours-2", "ours-1", True)


def test_worse_version_is_rejected_and_a_later_one_is_judged_without_the_run(
    dataset_id: str, rows: list[LabelRow], tasks: InMemoryTasks
) -> None:
    key = upload(rows, dataset_id, knowing=0.01)
    status, made = register(version="ours-2", dataset_id=dataset_id, holdout_scores_key=key)
    assert (status, made["verdict"]) == (200, "reject")
    [output] = tasks.answers.values()
    assert output["reasons"][0].startswith("better_than_champion: roc_auc is worse by")
    later = upload(rows, dataset_id, knowing=0.4)
    status, made = register(version="ours-3", dataset_id=dataset_id, holdout_scores_key=later)
    assert (status, made["verdict"], "decision_id" in made) == (200, "promote", False)
    route = f"/models/{MODEL}/versions/ours-3/promote"
    assert send(decide_versions, "decide_versions", {"reason": "it is better"}, path=route)[0] == 200


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda lines: lines[1:], ("holdout_scores_key", "has no row for 1 of the holdout's")),
        (lambda lines: [*lines, {"prediction_id": "p-x", "score": 0.5}], ("].prediction_id", "is not in the holdout")),
        (lambda lines: [*lines, lines[2]], ("].prediction_id", "is that of line 3 again")),
        (lambda lines: [lines[0] | {"score": 1.5}, *lines[1:]], ("holdout_scores_key[1].score", "a probability")),
        (lambda lines: [lines[0] | {"score": "0.5"}, *lines[1:]], ("holdout_scores_key[1].score", "number")),
        (lambda lines: [lines[0], {"score": 0.5}, *lines[2:]], ("holdout_scores_key[2].prediction_id", "is required")),
    ],
)
def test_scores_that_are_not_of_the_holdout_are_refused_by_their_line_and_wake_no_run(
    damage: Any, named: tuple[str, str], dataset_id: str, tasks: InMemoryTasks
) -> None:
    lines = [{"prediction_id": name, "score": 0.5} for name in holdout_ids(dataset_id)]
    key = put_rows(damage(lines))
    status, refused = register(version="ours-2", dataset_id=dataset_id, holdout_scores_key=key)
    assert status == 400
    [fault] = refused["error"]["details"]
    path, message = named
    assert path in fault["path"]
    assert message in fault["message"]
    assert (tasks.answers, stores.registry().versions(MODEL, 10)[0].version) == ({}, "ours-1")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"holdout_scores_key": f"uploads/model={MODEL}/x"}, "dataset_id"),
        ({"dataset_id": "d-none"}, "dataset_id"),
        ({"dataset_id": "d-none", "holdout_scores_key": f"uploads/model={MODEL}/x"}, "dataset_id"),
        ({"dataset_id": "d-none", "holdout_scores_key": "uploads/model=other/x"}, "holdout_scores_key"),
        ({"baseline_key": f"uploads/model={MODEL}/x"}, "baseline_key"),
        ({"baseline_key": "labels/x"}, "baseline_key"),
    ],
)
def test_registration_is_refused_if_it_names_a_missing_object(
    tasks: InMemoryTasks, body: dict[str, Any], path: str
) -> None:
    status, refused = register(version="ours-2", **body)
    assert (status, paths(refused)) == (400, [path])


def test_version_that_comes_after_the_deadline_is_judged_without_its_run(
    dataset_id: str, rows: list[LabelRow], tasks: InMemoryTasks, context: Any
) -> None:
    tasks.waiting.clear()
    reason = f"no version of {dataset_id} was registered in time"
    finalize({**run_event(), "outcome": "failed", "reason": reason}, context)
    key = upload(rows, dataset_id, knowing=0.4)
    status, made = register(version="ours-2", dataset_id=dataset_id, holdout_scores_key=key)
    assert (status, made["verdict"], "decision_id" in made) == (200, "promote", False)
    decision = stores.trigger_store().decision(MODEL, AS_OF, "retrain-1")
    assert decision is not None
    assert (decision.outcome, decision.outcome_reason) == ("failed", reason)


def test_repeated_step_takes_the_new_token_and_run_without_the_lock_is_stale(
    dataset_id: str, rows: list[LabelRow], tasks: InMemoryTasks, context: Any, bus: InMemoryAnnouncements
) -> None:
    tasks.waiting = {"token-2"}
    request_version(waiting_step(dataset_id, task_token="token-2"), context)
    assert [asked.name for asked in bus.published] == ["RetrainingRequested"] * 2
    key = upload(rows, dataset_id, knowing=0.4)
    assert register(version="ours-2", dataset_id=dataset_id, holdout_scores_key=key)[1]["decision_id"] == "retrain-1"
    assert list(tasks.answers) == ["token-2"]
    with pytest.raises(StaleRun):
        request_version(waiting_step(dataset_id, fencing_token=9), context)


def test_version_comes_with_the_rows_of_its_baseline(tasks: InMemoryTasks, rows: list[LabelRow]) -> None:
    key = put_rows([{"features": dict(row.features), "score": row.score} for row in rows[:300]])
    assert register(version="ours-2", baseline_key=key)[0] == 200
    baseline = read_baseline(stores.lake(), MODEL, "ours-2")
    assert baseline is not None
    assert (baseline["rows"], baseline["is_complete"], baseline["policy"]) == (300, True, {"key": key})
    broken = put_rows([{"features": {"temperature": "warm"}, "score": 0.5}])
    status, refused = register(version="ours-3", baseline_key=broken)
    assert (status, paths(refused)) == (400, ["baseline_key[1].features.temperature"])

"""The steps of the state machine, in its order, through their handlers and moto."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.deploy.app import handler as deploy
from functions.finalize_run.app import handler as finalize
from functions.plan_snapshot.app import handler as plan_snapshot
from functions.snapshot.app import handler as snapshot
from functions.train.app import handler as train
from functions.train.job import main
from functions.validate.app import handler as validate
from hindsight.bootstrap import stores
from hindsight.core.errors import InvalidInput, NotFound, StaleRun, UnusableDataset
from hindsight.core.times import format_time, parse_time
from hindsight.triggers.decision import Decision
from hindsight.triggers.inputs import Cause
from hindsight.triggers.state import OpenRun, RunOutcome
from tests.ports import forget_ports
from tests.unit.training.world import MODEL, START, learnable, revision, store

AS_OF = datetime(2026, 4, 20, tzinfo=UTC)
Event = dict[str, Any]
Sample = Callable[[str], Event]


def trigger(event: Event) -> Event:
    """Take the model's lock for the run an event names."""
    store_, at = stores.trigger_store(), parse_time(event["as_of"])
    before = store_.load(MODEL)
    decision = Decision(
        decision_id=event["decision_id"],
        model=MODEL,
        at=at,
        cause=Cause.SCHEDULE,
        reason="schedule",
        signals=(),
        blocked_by=(),
        explanation="Retrains because the schedule is due.",
    )
    run = OpenRun(
        decision_id=event["decision_id"],
        fencing_token=event["fencing_token"],
        started_at=at,
        lease_expires_at=at + timedelta(days=1),
        reason="schedule",
    )
    state = before.replace(version=before.version + 1, open_run=run, fencing_token=event["fencing_token"])
    assert store_.record(decision, state, before.version)
    return event


def run_event(number: int = 1, as_of: datetime = AS_OF) -> Event:
    return {
        "model": MODEL,
        "decision_id": f"retrain-{number}",
        "fencing_token": number,
        "as_of": format_time(as_of),
        "reason": "schedule: 30 days",
    }


def run_to_verdict(run: Event, context: object) -> Event:
    ready = snapshot(run, context)
    assert ready["status"] == "ready", ready
    trained = [
        train({**run, "dataset_id": ready["dataset_id"], "candidate": candidate}, context)
        for candidate in ready["candidates"]
    ]
    return validate({**run, "dataset_id": ready["dataset_id"], "trained": trained}, context)


@pytest.fixture
def labelled(deployed: None) -> None:
    settings = {"training": {"window": "P60D", "candidates": ["logistic_regression"]}}
    stores.configurations().put(revision(**settings).configuration, START)
    store(stores.lake(), learnable(1000))


def test_a_first_version_goes_from_examples_to_service(labelled: None, context: object) -> None:
    run = trigger(run_event())
    judged = run_to_verdict(run, context)
    approval = {"required": False, "seconds": 3 * 24 * 3600}
    assert judged == {"version": judged["version"], "verdict": "promote", "reasons": [], "approval": approval}
    assert deploy({**run, "version": judged["version"]}, context) == {
        "version": judged["version"],
        "previous": None,
        "strategy": "direct",
    }
    assert finalize({**run, "outcome": "promoted", "version": judged["version"]}, context)["finalized"]

    pointer = stores.registry().pointer(MODEL)
    assert pointer is not None
    assert pointer.champion == judged["version"]
    state = stores.trigger_store().load(MODEL)
    assert state.open_run is None
    assert (state.last_outcome, state.last_snapshot_as_of) == (RunOutcome.PROMOTED, AS_OF)
    assert stores.registry().dataset(MODEL, state.last_dataset_id or "").as_of == AS_OF
    decision = stores.trigger_store().decision(MODEL, AS_OF, "retrain-1")
    assert decision is not None
    assert decision.outcome is RunOutcome.PROMOTED


def test_a_second_run_with_nothing_new_is_skipped(labelled: None, context: object) -> None:
    first = trigger(run_event())
    judged = run_to_verdict(first, context)
    finalize({**first, "outcome": "rejected", "version": judged["version"], "reason": "floor"}, context)
    later = snapshot(run_event(2, AS_OF + timedelta(days=1)), context)
    assert (later["status"], later["reason"]) == ("skipped", "no_new_information")


def test_a_run_that_failed_used_nothing_up(labelled: None, context: object) -> None:
    run = trigger(run_event())
    assert snapshot(run, context)["status"] == "ready"
    finalize({**run, "outcome": "failed", "reason": "Train: out of memory"}, context)
    assert snapshot(run_event(2, AS_OF + timedelta(days=1)), context)["status"] == "ready"


def test_every_step_may_be_repeated(labelled: None, context: object) -> None:
    run = trigger(run_event())
    assert snapshot(run, context) == snapshot(run, context)
    judged = run_to_verdict(run, context)
    assert run_to_verdict(run, context) == judged
    deployment = {**run, "version": judged["version"]}
    assert deploy(deployment, context) == deploy(deployment, context)
    assert len(stores.registry().deployments(MODEL, 10)) == 1
    end = {**run, "outcome": "promoted", "version": judged["version"]}
    assert [finalize(end, context)["finalized"] for _ in range(2)] == [True, False]


def test_a_run_that_lost_its_lock_deploys_nothing_and_ends_nothing(labelled: None, context: object) -> None:
    run = run_event()
    judged = run_to_verdict(run, context)
    newer = trigger(run_event(2))
    with pytest.raises(StaleRun):
        deploy({**run, "version": judged["version"]}, context)
    assert not finalize({**run, "outcome": "failed"}, context)["finalized"]
    state = stores.trigger_store().load(MODEL)
    assert state.open_run is not None
    assert state.open_run.decision_id == newer["decision_id"]
    assert stores.registry().pointer(MODEL) is None


def test_training_job_leaves_the_result_of_the_step_for_the_step(
    labelled: None, context: object, tmp_path: Path
) -> None:
    run = run_event()
    dataset_id = snapshot(run, context)["dataset_id"]
    task = {**run, "dataset_id": dataset_id, "candidate": "logistic_regression"}
    parameters = {name: str(value) for name, value in task.items() if name != "reason"}
    (tmp_path / "input/config").mkdir(parents=True)
    (tmp_path / "input/config/hyperparameters.json").write_text(json.dumps(parameters), encoding="utf-8")
    with pytest.raises(NotFound):
        train({**task, "trained_in_job": True}, context)

    assert main(tmp_path) == 0

    assert train({**task, "trained_in_job": True}, context) == train(task, context)
    assert not (tmp_path / "output/failure").exists()


def test_a_training_job_that_fails_says_why(deployed: None, tmp_path: Path) -> None:
    assert main(tmp_path) == 1
    assert (tmp_path / "output/failure").read_text(encoding="utf-8").startswith("FileNotFoundError")


def test_without_examples_the_run_stops(deployed: None, context: object) -> None:
    stores.configurations().put(revision().configuration, START)
    skipped = snapshot(run_event(), context)
    assert (skipped["status"], skipped["reason"]) == ("skipped", "too_few_rows")


def test_the_sample_of_snapshot_passes(labelled: None, context: object, sample: Sample) -> None:
    ready = snapshot(sample("snapshot"), context)
    assert ready["candidates"] == ["logistic_regression"]
    assert ready["dataset_id"].startswith("d20260601T000000Z-")


def test_sample_of_plan_snapshot_queries_the_run_s_window_under_a_distinct_key(
    labelled: None, context: object, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE", "hindsight")
    forget_ports()
    run = sample("plan_snapshot")
    planned = plan_snapshot(run, context)
    assert planned["location"].endswith(f"lake/queries/model={run['model']}/{run['decision_id']}/")
    assert '"hindsight"."label_records"' in planned["query"]
    assert "AND '2026-06-01'" in planned["query"]
    with pytest.raises(UnusableDataset, match="left 0 answers"):
        snapshot({**run, "query_execution_id": "of-another-run"}, context)


def test_a_pipeline_of_one_s_own_that_cannot_be_trained_says_why_to_the_end(deployed: None, context: object) -> None:
    settings = {"training": {"window": "P60D", "candidates": ["custom"], "pipeline": "nowhere:build"}}
    stores.configurations().put(revision(**settings).configuration, START)
    store(stores.lake(), learnable(1000))
    run = trigger(run_event())
    task = {**run, "dataset_id": snapshot(run, context)["dataset_id"], "candidate": "custom"}

    trained = train(task, context)

    reason = "pipelines.nowhere cannot be imported: there is no module 'pipelines.nowhere'"
    assert trained == {"candidate": "custom", "error": f"UnusablePipeline: {reason}"}
    with pytest.raises(UnusableDataset, match=reason):
        validate({**task, "trained": [trained]}, context)


@pytest.mark.parametrize("step", [train, validate])
def test_the_samples_of_train_and_validate_pass_once_their_dataset_exists(
    step: Callable[[Event, Any], Event], labelled: None, context: object, sample: Sample
) -> None:
    run = trigger({**sample("snapshot"), "as_of": format_time(AS_OF)})
    dataset_id = snapshot(run, context)["dataset_id"]
    trained = train({**sample("train"), **run, "dataset_id": dataset_id}, context)
    assert trained["candidate"] == "gradient_boosting"
    if step is validate:
        failed = [candidate for candidate in sample("validate")["trained"] if "error" in candidate]
        judged = validate({**run, "dataset_id": dataset_id, "trained": [trained, *failed]}, context)
        record = stores.registry().version(MODEL, judged["version"])
        reason = "UnusableDataset: the train part does not match its manifest"
        assert record.candidates[1] == {"candidate": "gradient_boosting", "error": reason}


def test_the_sample_of_deploy_names_a_version_that_must_exist(labelled: None, context: object, sample: Sample) -> None:
    with pytest.raises(NotFound):
        deploy(sample("deploy"), context)


def test_the_sample_of_finalize_run_passes(labelled: None, context: object, sample: Sample) -> None:
    event = sample("finalize_run")
    trigger(event)
    ended = finalize(event, context)
    assert (ended["outcome"], ended["finalized"]) == ("rejected", True)
    assert ended["result"] == {name: event[name] for name in ("outcome", "reason", "version")}
    assert stores.trigger_store().load(MODEL).consecutive_rejections == 1


def test_the_sample_of_a_failed_execution_releases_the_lock_of_a_stopped_run(
    deployed: None, context: object, sample: Sample
) -> None:
    trigger({**sample("snapshot"), "as_of": "2026-06-01T00:00:00Z", "model": MODEL})
    event = sample("finalize_run_execution")
    assert finalize(event, context) == {"outcome": "failed"}
    assert finalize(event, context) == {"outcome": None}
    state = stores.trigger_store().load(MODEL)
    assert (state.open_run, state.last_outcome) == (None, RunOutcome.FAILED)


def test_a_run_that_failed_after_its_deployment_is_finalized_as_promoted(labelled: None, context: object) -> None:
    run = trigger(run_event())
    judged = run_to_verdict(run, context)
    deploy({**run, "version": judged["version"]}, context)

    ended = finalize({**run, "outcome": "failed", "reason": "Deploy: Sandbox.Timedout: too slow"}, context)

    assert (ended["result"]["outcome"], ended["result"]["version"]) == ("promoted", judged["version"])
    assert stores.trigger_store().load(MODEL).last_outcome is RunOutcome.PROMOTED


@pytest.mark.parametrize("step", [snapshot, train, validate, deploy, finalize])
@pytest.mark.filterwarnings("ignore:No application metrics")
def test_an_input_that_names_no_run_is_refused(step: Callable[[Event, Any], Event], context: object) -> None:
    with pytest.raises(InvalidInput):
        step({"model": MODEL}, context)

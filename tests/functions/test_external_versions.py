"""A model that another server answers for, through the handlers: logged, adopted, watched, promoted, never trained."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from functions.evaluate_rollouts.app import handler as evaluate_rollouts
from functions.log_predictions.app import handler as log_predictions
from functions.monitor.app import handler as monitor
from functions.predict.app import handler as predict
from functions.request_retraining.app import handler as request_retraining
from hindsight.bootstrap import stores
from hindsight.monitoring.results.check import CheckKind, Verdict
from hindsight.profiles.reference import read_baseline
from tests.functions.conftest import FannedOut
from tests.functions.external import MODEL, START, Sample, configure, decide, log, run
from tests.functions.requests import request, send

pytestmark = pytest.mark.usefixtures("deployed")


@pytest.fixture(autouse=True)
def configured(deployed: None) -> None:
    configure()


def test_first_logged_version_becomes_the_champion_and_its_history_says_so(
    fanned_out: FannedOut, sample: Sample
) -> None:
    run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 0.5)
    assert stores.registry().pointer(MODEL) is None
    log("ours-1", 1)
    log("ours-2", 2)
    for _ in range(2):
        run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 2.5)
    pointer = stores.registry().pointer(MODEL)
    assert pointer is not None
    assert (pointer.champion, pointer.is_external, pointer.serving_since) == (
        "ours-1",
        True,
        START + timedelta(hours=27),
    )
    (made,) = stores.registry().deployments(MODEL, 10)
    assert (made.to_version, made.reason, made.actor) == ("ours-1", "the first version that was logged", "pipeline")


def test_drift_of_an_external_version_is_seen_against_its_first_rows(fanned_out: FannedOut, sample: Sample) -> None:
    log("ours-1", 1)
    run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 1.5)
    for day in range(2, 5):
        log("ours-1", day, rows=100)
    run(monitor, fanned_out, sample, "monitor", 5)
    calm = stores.check_store().latest(MODEL, CheckKind.DRIFT)
    assert calm is not None
    assert calm.verdict is Verdict.OK
    baseline = calm.summary["baseline"]
    assert (baseline["rows"], baseline["is_complete"]) == (300, True)
    assert (baseline["from"], baseline["to"]) == ("2026-03-02T03:00:00.000000Z", "2026-03-02T04:00:00.000000Z")
    for day in range(12, 15):
        log("ours-1", day, warmer=0.5)
    run(monitor, fanned_out, sample, "monitor", 15)
    moved = stores.check_store().latest(MODEL, CheckKind.DRIFT)
    assert moved is not None
    assert (moved.verdict, moved.model_version) == (Verdict.DRIFT, "ours-1")
    assert moved.reason.startswith("`temperature` is above ")
    assert moved.reason.endswith("; 1 of 3 features drift")


def test_baseline_waits_for_its_rows_and_the_check_says_that_there_is_none(
    fanned_out: FannedOut, sample: Sample
) -> None:
    log("ours-1", 1, rows=150)
    run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 1.5)
    run(monitor, fanned_out, sample, "monitor", 1.5)
    check = stores.check_store().latest(MODEL, CheckKind.DRIFT)
    assert check is not None
    assert check.verdict is Verdict.INSUFFICIENT
    assert (check.summary["baseline"]["rows"], check.summary["baseline"]["is_complete"]) == (150, False)
    log("ours-1", 2, rows=150)
    run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 2.5)
    run(monitor, fanned_out, sample, "monitor", 2.5)
    later = stores.check_store().latest(MODEL, CheckKind.DRIFT)
    assert later is not None
    assert later.summary["baseline"]["rows"] == 300


def test_baseline_of_a_span_is_of_that_span(fanned_out: FannedOut, sample: Sample) -> None:
    configure(baseline={"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"})
    for day in range(3):
        log("ours-1", day, rows=50)
    run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 3)
    run(monitor, fanned_out, sample, "monitor", 3)
    check = stores.check_store().latest(MODEL, CheckKind.DRIFT)
    assert check is not None
    baseline = check.summary["baseline"]
    assert (baseline["rows"], baseline["is_complete"]) == (50, True)
    assert (baseline["from"], baseline["to"]) == ("2026-03-02T00:00:00.000000Z", "2026-03-03T00:00:00.000000Z")
    configure(baseline={"from": "2026-03-01T00:00:00Z", "to": "2026-03-03T00:00:00Z"})
    run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 3.1)
    run(monitor, fanned_out, sample, "monitor", 3.1)
    changed = stores.check_store().latest(MODEL, CheckKind.DRIFT)
    assert changed is not None
    assert changed.summary["baseline"]["rows"] == 100


def test_hours_of_a_baseline_are_read_once(fanned_out: FannedOut, sample: Sample) -> None:
    configure(baseline={"rows": 100_000})
    log("ours-1", 1, rows=20)
    run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 1.5)
    before = read_baseline(stores.lake(), MODEL, "ours-1")
    log("ours-1", 2, rows=20)
    for _ in range(2):
        run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 2.5)
    after = read_baseline(stores.lake(), MODEL, "ours-1")
    assert before is not None
    assert after is not None
    assert (before["rows"], after["rows"]) == (20, 40)
    assert (before["from"], before["to"] < after["to"]) == (after["from"], True)


def test_predict_is_refused_and_serving_names_the_external_champion(fanned_out: FannedOut, sample: Sample) -> None:
    log("ours-1", 1)
    run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 1.5)
    status, refused = send(predict, "predict")
    assert (status, refused["error"]["code"]) == (409, "served_elsewhere")
    route = {"httpMethod": "GET", "resource": "/models/{model}/serving", "path": f"/models/{MODEL}/serving"}
    answer = request(log_predictions, "log_predictions", body=None, **route)
    assert json.loads(answer["body"]) == {"champion": {"version": "ours-1", "external": True}, "sequence": 1}


def test_registered_version_is_promoted_by_a_person_and_can_be_rolled_back(
    fanned_out: FannedOut, sample: Sample
) -> None:
    log("ours-1", 1)
    run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 1.5)
    registered = {"version": "ours-2", "description": "with the new price", "expected": {"accuracy": 0.9}}
    status, made = decide("/versions", **registered)
    assert (status, made["version"]) == (200, "ours-2")
    assert decide("/versions", **registered)[0] == 200
    assert decide("/versions", **registered | {"expected": {}})[0] == 409
    assert stores.registry().version(MODEL, "ours-2").metrics == {"accuracy": 0.9}
    assert decide("/versions/ours-2/promote", reason="it is live since noon")[0] == 200
    pointer = stores.registry().pointer(MODEL)
    assert pointer is not None
    assert (pointer.champion, pointer.previous, pointer.is_external) == ("ours-2", "ours-1", True)
    assert decide("/rollback", reason="worse")[0] == 200
    assert [made.to_version for made in stores.registry().deployments(MODEL, 10)] == ["ours-1", "ours-2", "ours-1"]


def test_details_of_an_adopted_version_are_registered_once(fanned_out: FannedOut, sample: Sample) -> None:
    log("ours-1", 1)
    run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 1.5)
    adopted = stores.registry().version(MODEL, "ours-1")
    details = {"version": "ours-1", "description": "the one of last year", "expected": {"accuracy": 0.9}}
    assert decide("/versions", **details)[0] == 200
    described = stores.registry().version(MODEL, "ours-1")
    assert (described.metrics, described.notes) == ({"accuracy": 0.9}, ("the one of last year",))
    assert described.created_at == adopted.created_at
    assert decide("/versions", **details)[0] == 200
    assert decide("/versions", **details | {"expected": {"accuracy": 0.8}})[0] == 409


def test_baseline_has_the_rows_that_a_version_logged_before_it_was_champion(
    fanned_out: FannedOut, sample: Sample
) -> None:
    log("ours-1", 1)
    log("ours-2", 1, rows=150)
    run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 1.5)
    log("ours-2", 2, rows=150)
    run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 2.5)
    baseline = read_baseline(stores.lake(), MODEL, "ours-2")
    assert baseline is not None
    assert (baseline["rows"], baseline["is_complete"]) == (300, True)
    assert baseline["from"] == baseline["first_logged_at"] == "2026-03-02T03:00:00.000000Z"
    decide("/versions", version="ours-2")
    decide("/versions/ours-2/promote", reason="it is better")
    run(monitor, fanned_out, sample, "monitor", 3)
    check = stores.check_store().latest(MODEL, CheckKind.DRIFT)
    assert check is not None
    assert (check.model_version, check.summary["baseline"]["rows"]) == ("ours-2", 300)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "version"),
        ({"version": " x"}, "version"),
        ({"version": "v", "expected": {"mae": 0.1}}, "expected.mae"),
        ({"version": "v", "expected": {"accuracy": 1.5}}, "expected.accuracy"),
        ({"version": "v", "dataset_id": "d"}, "dataset_id"),
    ],
)
def test_registration_is_refused_by_the_path_at_fault(body: dict[str, Any], path: str) -> None:
    status, refused = decide("/versions", **body)
    assert (status, refused["error"]["details"][0]["path"]) == (400, path)


def test_model_that_is_served_elsewhere_is_not_trained_here_even_by_force(executions: Callable[[], list[str]]) -> None:
    body = {"reason": "now", "force": True}
    status, answer = send(request_retraining, "request_retraining", body, path=f"/models/{MODEL}/retrain")
    assert (status, answer["triggered"]) == (202, False)
    assert [blocked["code"] for blocked in answer["blocked_by"]] == ["served_elsewhere"]
    assert executions() == []


def test_baseline_of_uploaded_rows_is_built_and_a_fault_in_them_is_shown(fanned_out: FannedOut, sample: Sample) -> None:
    key = f"uploads/model={MODEL}/rows"
    configure(baseline={"key": key})
    log("ours-1", 1)
    run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 1.5)
    missing = read_baseline(stores.lake(), MODEL, "ours-1")
    assert missing is not None
    assert (missing["is_complete"], missing["problem"]) == (
        False,
        "monitoring.baseline.key names no object of the lake",
    )
    table = "feature.hour,feature.temperature,feature.holiday,score\n" + "8,0.25,false,0.5\n17,,true,0.75\n" * 60
    stores.lake().write_bytes(key, table.encode(), "text/csv")
    run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 1.6)
    built = read_baseline(stores.lake(), MODEL, "ours-1")
    assert built is not None
    assert (built["rows"], built["is_complete"], built["policy"]) == (120, True, {"key": key})
    run(monitor, fanned_out, sample, "monitor", 2)
    check = stores.check_store().latest(MODEL, CheckKind.DRIFT)
    assert check is not None
    assert check.verdict is not Verdict.INSUFFICIENT
    assert check.summary["baseline"]["built_at"] == "2026-03-02T14:24:00.000000Z"
    configure(baseline={"rows": 200})
    run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 2.1)
    again = read_baseline(stores.lake(), MODEL, "ours-1")
    assert again is not None
    assert (again["rows"], again["policy"]) == (300, {"rows": 200})

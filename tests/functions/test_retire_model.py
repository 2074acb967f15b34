"""The retirement of a model through its handler, and what all other calls answer from then on."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from functions.capture_feedback.app import handler as capture_feedback
from functions.check_triggers.app import handler as check_triggers
from functions.configure_model.app import handler
from functions.decide_versions.app import handler as decide
from functions.get_model.app import handler as get_model
from functions.handle_reviews.app import handler as handle_reviews
from functions.log_predictions.app import handler as log_predictions
from functions.monitor.app import handler as monitor
from functions.request_jobs.app import handler as request_jobs
from functions.request_retraining.app import handler as retrain
from hindsight.bootstrap import stores
from hindsight.testing.builders.configuration import document
from tests.functions.requests import Answer, Handler, send

MODEL = "bike-demand"
AT = "2026-03-01T00:00:00Z"
Sample = Callable[[str], dict[str, Any]]


@pytest.fixture
def machine(deployed: None) -> str:
    """Build the machine of the deployment's runs, and a deployment with one model."""
    arn = boto3.client("stepfunctions").create_state_machine(
        name="retraining",
        definition='{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 600, "End": true}}}',
        roleArn="arn:aws:iam::123456789012:role/run",
    )["stateMachineArn"]
    send(handler, "configure_model")
    return str(arn)


def retire(**changes: Any) -> Answer:
    return send(handler, "configure_model_retirement", **changes)


def put_again() -> Answer:
    return send(handler, "configure_model", document(), content_type="application/json")


def test_sample_request_retires_the_model_and_the_same_again_answers_the_same(machine: str) -> None:
    status, first = retire()
    assert (status, first["model"], first["state"], first["actor"]) == (200, MODEL, "retired", "key:operator")
    assert first["reason"] == "replaced by the model of the new stations"
    assert retire(body='{"reason": "another"}') == (200, first)
    _, listed = send(get_model, "get_model", path="/models")
    assert [(one["model"], one["state"]) for one in listed["models"]] == [(MODEL, "retired")]
    _, shown = send(get_model, "get_model", path=f"/models/{MODEL}")
    assert (shown["state"], shown["retired"]) == ("retired", {name: first[name] for name in ("reason", "actor", "at")})


def test_a_body_is_not_needed_and_an_unknown_model_is_404(machine: str) -> None:
    assert retire(path="/models/unknown", body="")[0] == 404
    assert retire(body="")[1]["reason"] == "retired"


@pytest.mark.parametrize(
    ("call", "sample"),
    [
        (log_predictions, "log_predictions"),
        (capture_feedback, "capture_feedback"),
        (handle_reviews, "handle_reviews"),
        (handle_reviews, "handle_reviews_leases"),
        (retrain, "request_retraining"),
    ],
)
def test_nothing_new_is_taken(machine: str, call: Handler, sample: str) -> None:
    retire()
    status, answer = send(call, sample)
    assert (status, answer["error"]["code"]) == (409, "retired")


@pytest.mark.parametrize(
    ("word", "body"),
    [
        ("approve", {"reason": "good"}),
        ("approve", {"override": True, "reason": "good"}),
        ("promote", {"reason": "good"}),
    ],
)
def test_no_version_is_put_into_service(machine: str, word: str, body: Any) -> None:
    retire()
    status, answer = send(decide, "decide_versions", body, path=f"/models/{MODEL}/versions/v1/{word}")
    assert (status, answer["error"]["code"]) == (409, "retired")


@pytest.mark.parametrize("route", ["configuration", "versions", "decisions", "checks", "datasets", "quarantine"])
def test_reads_of_a_retired_model_are_answered(machine: str, route: str) -> None:
    retire()
    assert send(get_model, "get_model", path=f"/models/{MODEL}/{route}")[0] == 200


def test_run_under_way_is_stopped(machine: str) -> None:
    _, decided = send(retrain, "request_retraining", {"reason": "at once", "force": True})
    retire()
    found = boto3.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    assert [(one["name"], one["status"]) for one in found] == [(decided["decision_id"], "ABORTED")]


def test_relabelling_under_way_is_stopped_with_the_reason_and_can_be_resumed_afterwards(machine: str) -> None:
    steps: Any = boto3.client("stepfunctions")
    name = machine.rpartition(":")[2].replace("retraining", "relabelling")
    arn = steps.create_state_machine(
        name=name,
        definition='{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 600, "End": true}}}',
        roleArn="arn:aws:iam::123456789012:role/run",
    )["stateMachineArn"]
    _, receipt = send(request_jobs, "request_jobs", {"reason": "other rules"}, path=f"/models/{MODEL}/relabel")
    retire()
    found = steps.list_executions(stateMachineArn=arn)["executions"]
    assert [(one["name"], one["status"]) for one in found] == [(f"{receipt['job_id']}-1", "ABORTED")]
    path = f"/models/{MODEL}/jobs/{receipt['job_id']}"
    _, shown = send(get_model, "get_model", path=path)
    assert shown["status"] == "stopped"
    assert shown["failure"] == "the model is retired: replaced by the model of the new stations"
    put_again()
    assert send(request_jobs, "request_jobs", path=f"{path}/resume")[0] == 202


@pytest.mark.parametrize("sweep", [monitor, check_triggers])
def test_sweeps_pass_over_a_retired_model(machine: str, sweep: Any, sample: Sample, context: object) -> None:
    named = {**sample("monitor"), "detail": {"model": MODEL}}
    retire()
    assert sweep(named, context) == {"retired": True}
    assert sweep(sample("monitor"), context) == {"started": 0, "is_complete": True}
    assert stores.trigger_store().decisions(MODEL, 1) == []


def test_configuration_put_again_brings_the_model_back(machine: str) -> None:
    retire()
    status, answer = put_again()
    assert (status, answer["revision"]) == (200, 1)
    assert [effect["code"] for effect in answer["effects"]] == ["back_in_service"]
    assert send(log_predictions, "log_predictions")[0] == 202
    assert put_again()[1]["effects"] == []

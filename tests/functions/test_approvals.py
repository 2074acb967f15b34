"""A run asks through one handler, a person answers through the other."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from functions.decide_versions.app import handler as answer
from functions.request_approval.app import handler as request
from hindsight.bootstrap import retraining, stores
from hindsight.core.errors import NotFound, StaleRun
from hindsight.core.times import format_time, parse_time
from hindsight.registry.version import Check, Verdict, VersionRecord
from hindsight.rollout.approval.answers import ApprovalAnswers
from hindsight.testing.builders.versions import version_record
from hindsight.testing.models.approvals import InMemoryTasks
from tests.functions import reads
from tests.functions.requests import paths, send
from tests.functions.served import serve_version
from tests.functions.test_retraining_steps import trigger
from tests.unit.training.world import START, revision

Sample = Callable[[str], dict[str, Any]]
VERSION = "v20260601T000000Z-a68f287f-logistic_regression"
ROUTE = f"/models/demand/versions/{VERSION}"


def record(version: str = VERSION, **changes: Any) -> VersionRecord:
    decided = {"decision_id": "retrain-20260601T000000Z-3f9a1c", "artifact_key": "models/nothing.skops"}
    return version_record(version, START, **(decided | changes))


@pytest.fixture
def tasks(deployed: None, monkeypatch: pytest.MonkeyPatch) -> InMemoryTasks:
    """A deployed model with a version that passed the gate, and the tasks of a Step Functions that knows tokens."""
    stores.configurations().put(revision().configuration, START)
    stores.registry().put_version("demand", record())
    waiting = InMemoryTasks()
    answers = ApprovalAnswers(stores.approvals(), stores.registry(), waiting)
    monkeypatch.setattr(retraining, "approval_answers", lambda: answers)
    return waiting


@pytest.fixture
def asked(tasks: InMemoryTasks, sample: Sample, context: object) -> dict[str, Any]:
    """Ask for an approval, as the waiting step of a run does."""
    event = trigger(sample("request_approval"))
    tasks.waiting.add(event["task_token"])
    return request(event, context)


def test_a_run_that_asks_waits_and_holds_its_lock(asked: dict[str, Any], sample: Sample) -> None:
    event = sample("request_approval")
    waits_until = parse_time(event["as_of"]) + timedelta(days=3)  # the tests' time is simulated
    assert (asked["version"], asked["expires_at"]) == (VERSION, format_time(waits_until))
    assert event["task_token"] not in str(asked)
    run = stores.trigger_store().load("demand").open_run
    assert run is not None
    assert run.lease_expires_at == parse_time(event["as_of"]) + timedelta(days=4)


def test_the_sample_answer_lets_the_run_go_on(asked: dict[str, Any], tasks: InMemoryTasks) -> None:
    status, body = send(answer, "decide_versions")
    assert (status, body["approved"], body["actor"]) == (200, True, "key:operator")
    [output] = tasks.answers.values()
    assert output == {name: body[name] for name in ("approved", "actor", "reason", "at")}
    assert (output["actor"], output["reason"]) == ("key:operator", "checked against last week's orders")
    assert send(answer, "decide_versions")[1] == body
    status, refused = send(answer, "decide_versions", {}, path=f"{ROUTE}/reject")
    assert (status, refused["error"]["code"]) == (409, "conflict")


def test_a_rejection_needs_no_body(asked: dict[str, Any], tasks: InMemoryTasks, sample: Sample, context: Any) -> None:
    event = sample("decide_versions") | {"body": None, "path": f"{ROUTE}/reject", "headers": {}}
    assert answer(event, context)["statusCode"] == 200
    [output] = tasks.answers.values()
    assert (output["approved"], output["actor"], output["reason"]) == (False, "key:operator", "")


def test_rejection_against_the_gate_s_verdict_needs_a_reason(asked: dict[str, Any], tasks: InMemoryTasks) -> None:
    status, refused = send(answer, "decide_versions", {"override": True}, path=f"{ROUTE}/reject")
    assert (status, paths(refused)) == (400, ["reason"])
    body = {"override": True, "reason": "a slice is too small"}
    status, body = send(answer, "decide_versions", body, path=f"{ROUTE}/reject")
    assert (status, body["approved"], body["reason"]) == (200, False, "a slice is too small")


def test_promoted_version_serves_and_its_deployment_has_reason_actor_and_time(tasks: InMemoryTasks) -> None:
    serving = serve_version(1, "demand")
    trained = stores.registry().version("demand", serving)
    for name, digest in (("v-loads", trained.artifact_digest), ("v-altered", "00")):
        stores.registry().put_version(
            "demand", record(version=name, artifact_key=trained.artifact_key, artifact_digest=digest)
        )

    def promote(version: str, **body: Any) -> tuple[int, Any]:
        return send(answer, "decide_versions", body, path=f"/models/demand/versions/{version}/promote")

    status, refused = promote("v-altered", reason="x")
    assert (status, refused["error"]["code"]) == (409, "conflict")
    assert promote("v9", reason="x")[0] == 404
    assert promote("v-loads")[0] == 400
    assert promote(serving, reason="x")[0] == 409
    status, made = promote("v-loads", reason="the season is over")
    assert (status, made["change"], made["from"], made["to"]) == (200, "promoted", serving, "v-loads")
    assert promote("v-loads", reason="the season is over")[0] == 409

    _, listed = reads.get("demand/deployments")

    assert listed["deployments"][0] == made
    assert (made["reason"], made["actor"], made["at"]) == (
        "the season is over",
        "key:operator",
        "2026-03-08T12:30:00.000000Z",
    )


def test_an_answer_that_comes_too_late_is_a_conflict(asked: dict[str, Any], tasks: InMemoryTasks) -> None:
    tasks.waiting.clear()
    status, body = send(answer, "decide_versions")
    assert status == 409
    assert "waits no longer" in body["error"]["message"]


def test_version_without_a_waiting_run_is_a_conflict_and_an_unknown_one_is_not_found(tasks: InMemoryTasks) -> None:
    assert send(answer, "decide_versions")[0] == 409
    assert send(answer, "decide_versions", {}, path="/models/demand/versions/v9/approve")[0] == 404
    assert send(answer, "decide_versions", {}, path="/models/other/versions/v9/approve")[0] == 404


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"reason": 7}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"why": "x"}, "why"),
        ({"override": True}, "reason"),
        ({"override": "yes", "reason": "x"}, "override"),
        ([], ""),
    ],
)
def test_a_malformed_answer_names_its_path(tasks: InMemoryTasks, body: Any, path: str) -> None:
    status, refused = send(answer, "decide_versions", body)
    assert (status, paths(refused)) == (400, [path])


def test_run_without_the_lock_or_of_an_unknown_version_asks_for_no_approval(
    tasks: InMemoryTasks, sample: Sample, context: object
) -> None:
    event = sample("request_approval")
    with pytest.raises(StaleRun):
        request(event, context)
    with pytest.raises(NotFound):
        request({**event, "version": "v9"}, context)
    assert stores.approvals().newest("demand", 10) == []


def test_an_override_loads_the_version_and_puts_it_into_service(tasks: InMemoryTasks) -> None:
    serving = serve_version(1, "demand")
    trained = stores.registry().version("demand", serving)
    checks = (Check(name="floor", passed=False, value=0.6, limit=0.7, detail="too low"),)
    for name, digest in (("v-loads", trained.artifact_digest), ("v-altered", "00")):
        rejected = record(
            version=name,
            artifact_key=trained.artifact_key,
            artifact_digest=digest,
            verdict=Verdict.REJECT,
            checks=checks,
        )
        stores.registry().put_version("demand", rejected)
    body = {"override": True, "reason": "the holidays were not in the holdout"}

    status, refused = send(answer, "decide_versions", body, path="/models/demand/versions/v-altered/approve")
    assert (status, refused["error"]["code"]) == (409, "conflict")
    status, done = send(answer, "decide_versions", body, path="/models/demand/versions/v-loads/approve")
    assert (status, done["override"]) == (200, True)
    assert (done["deployment"]["from"], done["deployment"]["to"]) == (serving, "v-loads")
    assert done["deployment"]["reason"] == "override of the gate's floor: the holidays were not in the holdout"
    pointer = stores.registry().pointer("demand")
    assert pointer is not None
    assert pointer.champion == "v-loads"
    assert send(answer, "decide_versions", body)[0] == 409  # the gate passed that one

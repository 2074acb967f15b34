"""The retraining state machine itself, on a running stack: its steps are scripted, all else is the stack's own."""

import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hindsight.adapters.models_table.registry_table import DynamoRegistry
from hindsight.adapters.models_table.trigger_table import DynamoTriggers
from hindsight.registry.moves import AuditInfo, Servable, promote
from hindsight.testing.builders.configuration import configuration, document
from hindsight.triggers.evaluation.decide import decide
from local.client import StackClient
from local.template import with_plain_timeouts
from tests.event_schemas import require_promised
from tests.stack.waiting import eventually
from tests.unit.triggers.builders import observed, request

# Later than what other tests leave behind.
NOW = datetime(2027, 9, 1, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
STEPS = ("Snapshot", "Train", "Validate", "RequestApproval", "Deploy")
APPROVAL_SECONDS = 3

Row = dict[str, Any]
Script = dict[str, list[Row]]
Player = Callable[[Script], "Play"]

TRAINED = {"candidate": "linear", "version": "v-linear", "artifact_key": "k", "artifact_digest": "d"}
SMOOTH: Script = {
    "Snapshot": [{"return": {"status": "ready", "dataset_id": "d1", "candidates": ["linear", "boosting"]}}],
    "Train": [{"return": {**TRAINED, "validation_score": 0.9}}],
    "Validate": [
        {"return": {"version": "v-linear", "verdict": "promote", "reasons": [], "approval": {"required": False}}}
    ],
    "RequestApproval": [{}],
    "Deploy": [{"return": {"version": "v-linear", "previous": "v0", "strategy": "direct"}}],
}
TO_APPROVE = {
    "version": "v-linear",
    "verdict": "promote",
    "reasons": [],
    "approval": {"required": True, "seconds": APPROVAL_SECONDS},
}
KILLED = {"exit": 137}


def zipped_step() -> bytes:
    buffer, source = io.BytesIO(), (ROOT / "tests/stack/scripted_step.py").read_text(encoding="utf-8")
    with zipfile.ZipFile(buffer, "w") as archive:
        bootstrap = zipfile.ZipInfo("bootstrap")
        bootstrap.external_attr = 0o755 << 16
        archive.writestr(bootstrap, f"#!{sys.executable}\n{source}")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def machine(client: StackClient) -> Iterator[str]:
    """The deployed definition, with scripted steps in place of its functions and no waiting between attempts."""
    functions, roles, code = client.aws("lambda"), client.aws("iam"), zipped_step()
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    role = roles.create_role(
        RoleName="scripted", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": ["states:SendTaskSuccess", "events:PutEvents"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    roles.put_role_policy(RoleName="scripted", PolicyName="scripted", PolicyDocument=policy)
    text = (ROOT / "functions/retraining.asl.json").read_text(encoding="utf-8")
    for step in STEPS:
        functions.create_function(
            FunctionName=f"scripted-{step}",
            Runtime="provided.al2023",
            Role=role,
            Handler="bootstrap",
            Code={"ZipFile": code},
            Timeout=4,
            Environment={"Variables": {"STEP": step, "AWS_ENDPOINT_URL": client.stack.endpoint_url}},
        )
        text = text.replace(f"${{{step}Function}}", f"scripted-{step}")
    text = text.replace("${FinalizeRunFunction}", client.stack.outputs["FinalizeRunFunction"])
    text = text.replace("${EventBus}", client.stack.outputs["EventBus"]).replace("${TrainingEngine}", "lambda")
    definition = with_plain_timeouts(json.loads(text), APPROVAL_SECONDS)
    machines = client.aws("stepfunctions")
    arn = machines.create_state_machine(name="scripted", definition=json.dumps(unhurried(definition)), roleArn=role)
    yield arn["stateMachineArn"]
    machines.delete_state_machine(stateMachineArn=arn["stateMachineArn"])
    for step in STEPS:
        functions.delete_function(FunctionName=f"scripted-{step}")
    roles.delete_role_policy(RoleName="scripted", PolicyName="scripted")
    roles.delete_role(RoleName="scripted")


def unhurried(part: Any) -> Any:
    """Build a definition that tries again at once."""
    if isinstance(part, dict):
        at_once = {"IntervalSeconds": 0.05, "BackoffRate": 1}
        return {name: at_once.get(name) or unhurried(value) for name, value in part.items()}
    return [unhurried(value) for value in part] if isinstance(part, list) else part


class Play:
    """One run with a script, from its decision to its end."""

    def __init__(self, client: StackClient, machine: str, model: str, script: Script) -> None:
        table, dynamodb = client.stack.outputs["ModelsTable"], client.aws("dynamodb")
        self.triggers, self.registry = DynamoTriggers(table, dynamodb), DynamoRegistry(table, dynamodb)
        self.client, self.model = client, model
        client.call("PUT", f"models/{model}", key="operator", json={**document(), "model": model})
        before, event = self.triggers.load(model), request(NOW, model, force=True)
        inputs = observed(NOW, policy=configuration().triggers, state=before, champion=None, event=event)
        self.decision, state = decide(inputs)
        assert self.triggers.record(self.decision, state, 0)
        assert state.open_run is not None
        self.asked = state.open_run.signals
        self._input = {**state.open_run.execution_input(model), "script": SMOOTH | script}
        self._machine = machine

    def begin(self) -> str:
        """Start the execution; return its ARN."""
        started: str = self.client.aws("stepfunctions").start_execution(
            stateMachineArn=self._machine, name=self.decision.decision_id, input=json.dumps(self._input)
        )["executionArn"]
        return started

    def move_pointer(self) -> None:
        """Move the pointer as this run's deployment would."""
        audit = AuditInfo(reason="a test", actor="pipeline", at=NOW, decision_id=self.decision.decision_id)
        step = promote(None, Servable(version="v-linear", artifact_key="k", artifact_digest="d"), audit)
        self.registry.move_pointer(self.model, step)

    def status(self, execution: str) -> str | None:
        found: str = self.client.aws("stepfunctions").describe_execution(executionArn=execution)["status"]
        return None if found == "RUNNING" else found

    def end(self) -> tuple[str, str, str]:
        """Play to the end; return the execution's status, the outcome on the decision, and its reason."""
        execution = self.begin()
        status = eventually(lambda: self.status(execution))
        decided = self.triggers.decision(self.model, NOW, self.decision.decision_id)
        assert decided is not None
        assert decided.outcome is not None
        assert self.triggers.load(self.model).open_run is None
        return status, decided.outcome.value, decided.outcome_reason or ""


@pytest.fixture
def play(client: StackClient, machine: str, request: pytest.FixtureRequest) -> Player:
    model = f"played-{hashlib.sha256(request.node.name.encode()).hexdigest()[:12]}"
    return lambda script: Play(client, machine, model, script)


@pytest.mark.parametrize(
    ("strategy", "outcome", "announced"),
    [
        ("direct", "promoted", "ModelPromoted"),
        ("canary", "canary", "CanaryStarted"),
        ("shadow", "shadow", "ShadowStarted"),
    ],
)
def test_a_run_announces_every_step_as_promised(
    play: Player, announcements: Any, strategy: str, outcome: str, announced: str
) -> None:
    run = play({"Deploy": [{"return": {"version": "v-linear", "previous": "v0", "strategy": strategy}}]})

    assert run.end() == ("SUCCEEDED", outcome, "")

    events = eventually(lambda: found if len(found := announcements(run.model)) == 5 else None)
    details = {event["detail-type"]: event["detail"] for event in events}
    assert list(details) == ["RetrainingStarted", "SnapshotTaken", "CandidatesTrained", "GatePassed", announced]
    for name, detail in details.items():
        require_promised(name, detail)
        assert detail["metadata"]["correlation_id"] == run.decision.decision_id
    assert details["SnapshotTaken"]["data"]["candidates"] == ["linear", "boosting"]
    assert details["GatePassed"]["data"]["needs_approval"] is False
    assert (details[announced]["data"]["version"], details[announced]["data"]["previous"]) == ("v-linear", "v0")


def test_a_candidate_that_dies_does_not_take_the_others_with_it(play: Player, announcements: Any) -> None:
    ready = {"status": "ready", "dataset_id": "d1", "candidates": ["boosting"]}
    run = play({"Snapshot": [{"return": ready}], "Train": [KILLED]})

    assert run.end()[1] == "promoted"

    events = eventually(lambda: found if len(found := announcements(run.model)) == 5 else None)
    (details,) = [event["detail"] for event in events if event["detail-type"] == "CandidatesTrained"]
    require_promised("CandidatesTrained", details)
    (row,) = details["data"]["trained"]
    assert (row["candidate"], "Runtime.ExitError" in row["error"]) == ("boosting", True)


@pytest.mark.parametrize("reason", ["too_few_rows", "one_class", "no_new_information"])
def test_run_without_a_dataset_is_skipped(play: Player, announcements: Any, reason: str) -> None:
    run = play({"Snapshot": [{"return": {"status": "skipped", "reason": reason, "detail": "12 of 50"}}]})

    assert run.end() == ("SUCCEEDED", "skipped", f"{reason}: 12 of 50")

    started, skipped = eventually(lambda: found if len(found := announcements(run.model)) == 2 else None)
    assert (started["detail-type"], skipped["detail-type"]) == ("RetrainingStarted", "RetrainingSkipped")
    require_promised("RetrainingSkipped", skipped["detail"])
    assert skipped["detail"]["data"]["detail"] == "12 of 50"


def test_a_version_that_the_gate_rejects_is_not_deployed(play: Player) -> None:
    judged = {"version": "v-linear", "verdict": "reject", "reasons": ["floor: 0.5 < 0.7", "smoke: slow"]}
    run = play({"Validate": [{"return": judged}], "Deploy": [{"raise": "NeverCalled"}]})
    assert run.end() == ("SUCCEEDED", "rejected", "floor: 0.5 < 0.7; smoke: slow")


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        ({"approved": True, "actor": "ada", "reason": "fine"}, "promoted", "ada approved it: fine"),
        ({"approved": False, "actor": "ada", "reason": "not in May"}, "rejected", "ada rejected it: not in May"),
        (None, "rejected", "not approved in time"),
    ],
)
def test_a_version_that_needs_a_person_waits_for_the_answer(
    play: Player, answer: Row | None, outcome: str, reason: str
) -> None:
    asked = {"answer": json.dumps(answer)} if answer else {}
    deployed = SMOOTH["Deploy"] if outcome == "promoted" else [{"raise": "NeverCalled"}]
    run = play({"Validate": [{"return": TO_APPROVE}], "RequestApproval": [asked], "Deploy": deployed})
    assert run.end() == ("SUCCEEDED", outcome, reason)


@pytest.mark.parametrize("step", ["Snapshot", "Train", "Validate", "Deploy"])
@pytest.mark.parametrize("trouble", ["throttle", "hiccup", "death", "timeout"])
def test_trouble_that_passes_stops_no_run(play: Player, step: str, trouble: str) -> None:
    scenes: list[Row] = {
        "throttle": [{"raise": "Lambda.TooManyRequestsException"}] * 8,
        "hiccup": [{"raise": "Lambda.ServiceException"}] * 4,
        "death": [KILLED],
        "timeout": [{"sleep": 60}],
    }[trouble]
    run = play({step: [*scenes, *SMOOTH[step]]})
    assert run.end()[:2] == ("SUCCEEDED", "promoted")


@pytest.mark.parametrize("step", ["Snapshot", "Validate", "Deploy"])
@pytest.mark.parametrize(
    ("scene", "said"),
    [
        ({"raise": "Lambda.TooManyRequestsException"}, "Lambda.TooManyRequestsException"),
        (KILLED, "Runtime.ExitError"),
        ({"raise": "UnusableDataset", "message": "no rows"}, "UnusableDataset: no rows"),
    ],
)
def test_a_run_whose_step_dies_for_good_fails_releases_its_lock_and_gives_its_demand_back(
    play: Player, step: str, scene: Row, said: str
) -> None:
    run = play({step: [scene]})

    status, outcome, reason = run.end()

    assert (status, outcome) == ("FAILED", "failed")
    assert reason.startswith(f"{step}: {said}")
    assert "manual" in run.asked
    assert run.triggers.load(run.model).pending_signals == run.asked
    assert run.registry.pointer(run.model) is None


def test_a_step_that_outlives_its_time_twice_is_given_up(play: Player) -> None:
    run = play({"Validate": [{"sleep": 60}]})
    assert run.end()[:2] == ("FAILED", "failed")


def test_run_that_failed_after_it_moved_the_pointer_has_that_outcome(play: Player, announcements: Any) -> None:
    run = play({"Deploy": [KILLED]})
    run.move_pointer()

    status, outcome, reason = run.end()

    assert (status, outcome) == ("SUCCEEDED", "promoted")
    assert reason.startswith("the pointer had moved before the run failed: Deploy: Runtime.ExitError")
    assert not run.triggers.load(run.model).pending_signals
    events = eventually(lambda: found if len(found := announcements(run.model)) == 5 else None)
    require_promised("ModelPromoted", events[-1]["detail"])
    assert events[-1]["detail"]["data"]["version"] == "v-linear"

"""Training outside Lambda: the whole run is real but for SageMaker itself, whose answer Step Functions' mocks give.

What SageMaker would run is run here: the job's own entry point, as a process of its own.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.close import MODEL, NAMES, OLD, WINDOW, ClosedLoop
from hindsight.adapters.models_table.trigger_table import DynamoTriggers
from hindsight.testing.builders.configuration import configuration
from hindsight.triggers.evaluation.decide import decide
from local.client import StackClient
from local.stack import running_stack
from tests.stack.waiting import eventually
from tests.unit.triggers.builders import observed, request

ROOT = Path(__file__).parents[2]
PARAMETERS = {
    "TrainingEngine": "sagemaker",
    "TrainingImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/hindsight:1",
}
MACHINE, CASE = "training-jobs", "Trained"
MOCKS = {
    "StateMachines": {MACHINE: {"TestCases": {CASE: {"TrainOnSageMaker": "Job"}}}},
    "MockedResponses": {"Job": {"0-9": {"Return": {"TrainingJobStatus": "Completed"}}}},
}


@pytest.fixture
def own_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StackClient]:
    """A stack that trains on SageMaker, on a server whose Step Functions answer for it."""
    mocks = tmp_path / "mocks.json"
    mocks.write_text(json.dumps(MOCKS), encoding="utf-8")
    monkeypatch.setenv("SFN_MOCK_CONFIG", str(mocks))
    with running_stack(tmp_path / "stack", PARAMETERS) as stack:
        yield StackClient(stack)
    shutil.rmtree(tmp_path, ignore_errors=True)


def machine_with_mocks(client: StackClient) -> str:
    """Deploy the stack's state machine again, under the name that the mocks are for; return its ARN with their case."""
    machines = client.aws("stepfunctions")
    deployed = machines.describe_state_machine(stateMachineArn=client.stack.outputs["RetrainingStateMachine"])
    created = machines.create_state_machine(
        name=MACHINE, definition=deployed["definition"], roleArn=deployed["roleArn"]
    )
    return f"{created['stateMachineArn']}#{CASE}"


def credentials_of(client: StackClient, role: str) -> dict[str, str]:
    resources = client.aws("cloudformation").describe_stack_resources(StackName=client.stack.stack_name)
    [name] = [
        resource["PhysicalResourceId"]
        for resource in resources["StackResources"]
        if resource["LogicalResourceId"] == role
    ]
    roles = client.aws("iam")
    arn = roles.get_role(RoleName=name)["Role"]["Arn"]
    # Only SageMaker may take it: here the test does that in its place.
    account = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{arn.split(':')[4]}:root"}}
    trust = {"Version": "2012-10-17", "Statement": [{**account, "Action": "sts:AssumeRole"}]}
    roles.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    found: dict[str, str] = client.aws("sts").assume_role(RoleArn=arn, RoleSessionName="job")["Credentials"]
    return found


def run_job(client: StackClient, run: dict[str, Any], dataset_id: str, candidate: str, folder: Path) -> int:
    """Run the entry point as SageMaker does, with the rights of the job's role; return its exit code."""
    parameters = {**{name: str(run[name]) for name in ("model", "decision_id", "fencing_token", "as_of")}}
    parameters |= {"dataset_id": dataset_id, "candidate": candidate}
    (folder / "input/config").mkdir(parents=True)
    (folder / "input/config/hyperparameters.json").write_text(json.dumps(parameters), encoding="utf-8")
    program = f"import sys, pathlib, functions.train.job as job; sys.exit(job.main(pathlib.Path({str(folder)!r})))"
    credentials = credentials_of(client, "TrainingJobRole")
    environment = {
        **os.environ,
        "LAKE_BUCKET": client.stack.outputs["LakeBucket"],
        "MODELS_TABLE": client.stack.outputs["ModelsTable"],
        "CODE_VERSION": "a-commit",
        "AWS_ENDPOINT_URL": client.stack.endpoint_url,
        "AWS_DEFAULT_REGION": client.stack.region,
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
        "POWERTOOLS_SERVICE_NAME": "hindsight",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=False).returncode


def test_run_trains_in_jobs_and_serves_their_version(own_client: StackClient, tmp_path: Path) -> None:
    client, closing = own_client, ClosedLoop(own_client, seed=5)
    rows = closing.make("job", OLD, 400, 1.0)
    closing.log(rows)
    closing.send_outcomes(rows)
    closing.wait_for_labels(rows)
    now = rows[-1].occurred_at + WINDOW + timedelta(hours=2)
    store = DynamoTriggers(client.stack.outputs["ModelsTable"], client.aws("dynamodb"))
    event, rules = request(now, "jobs", force=True), configuration().triggers
    decision, state = decide(observed(now, policy=rules, state=store.load(MODEL), champion=None, event=event))
    assert store.record(decision, state, 0)
    assert state.open_run is not None
    run = state.open_run.execution_input(MODEL)
    functions, name = client.aws("lambda"), client.stack.outputs["SnapshotFunction"]
    # The run itself takes the same snapshot again.
    answer = json.loads(functions.invoke(FunctionName=name, Payload=json.dumps(run).encode())["Payload"].read())
    assert answer["status"] == "ready"
    codes = [
        run_job(client, run, answer["dataset_id"], candidate, tmp_path / candidate)
        for candidate in answer["candidates"]
    ]
    assert codes == [0] * len(answer["candidates"])

    machines = client.aws("stepfunctions")
    execution = machines.start_execution(
        stateMachineArn=machine_with_mocks(client), name=decision.decision_id, input=json.dumps(run)
    )["executionArn"]
    described = eventually(
        lambda: found if (found := machines.describe_execution(executionArn=execution))["status"] != "RUNNING" else None
    )

    ended = store.decision(MODEL, now, decision.decision_id)
    assert ended is not None
    assert (described["status"], ended.outcome) == ("SUCCEEDED", "promoted"), ended.outcome_reason
    asked_for = {"instances": [{"features": dict.fromkeys(NAMES, 0.1)}]}
    [served] = client.call("POST", f"models/{MODEL}/predict", key="app", json=asked_for)["predictions"]
    assert served["model_version"] == ended.outcome_version


def test_a_job_that_fails_says_why_where_sagemaker_looks(own_client: StackClient, tmp_path: Path) -> None:
    run = {"model": "unknown", "decision_id": "d", "fencing_token": 1, "as_of": "2026-03-01T00:00:00Z"}
    assert run_job(own_client, run, "d-none", "gradient_boosting", tmp_path / "job") == 1
    assert (tmp_path / "job/output/failure").read_text(encoding="utf-8").startswith("NotFound: ")

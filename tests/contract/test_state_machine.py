"""One suite judges the fake and the adapter."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from hindsight.adapters.aws.state_machine import StepFunctions
from hindsight.core.executions import Execution, StateMachine
from hindsight.testing.aws.state_machine import InMemoryStateMachine

RUN = {"model": "bike", "decision_id": "retrain-1", "fencing_token": 1}
DEFINITION = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}}

End = Callable[[str], object]


@pytest.fixture(params=["in_memory", "step_functions"])
def machine(request: pytest.FixtureRequest) -> tuple[StateMachine, End]:
    if request.param == "in_memory":
        fake = InMemoryStateMachine()
        return fake, fake.end
    request.getfixturevalue("aws")
    client: Any = boto3.client("stepfunctions")
    arn = client.create_state_machine(
        name="retraining", definition=json.dumps(DEFINITION), roleArn="arn:aws:iam::123456789012:role/run"
    )["stateMachineArn"]
    execution = arn.replace(":stateMachine:", ":execution:")
    return StepFunctions(arn, client), lambda name: client.stop_execution(executionArn=f"{execution}:{name}")


def test_an_execution_runs_once_started(machine: tuple[StateMachine, End]) -> None:
    runs, _ = machine
    assert runs.execution("retrain-1") is Execution.NEVER_STARTED
    runs.start("retrain-1", RUN)
    assert runs.execution("retrain-1") is Execution.RUNNING


def test_starting_twice_under_one_name_is_one_execution(machine: tuple[StateMachine, End]) -> None:
    runs, end = machine
    runs.start("retrain-1", RUN)
    runs.start("retrain-1", RUN)
    end("retrain-1")
    assert runs.execution("retrain-1") is Execution.OVER
    runs.start("retrain-1", RUN)
    assert runs.execution("retrain-1") is Execution.OVER


def test_stopped_execution_is_over_and_stopping_it_again_changes_nothing(machine: tuple[StateMachine, End]) -> None:
    runs, _ = machine
    runs.start("retrain-1", RUN)
    for _ in range(2):
        runs.stop("retrain-1", "the model is retired")
        assert runs.execution("retrain-1") is Execution.OVER


def test_stop_of_an_unknown_execution_changes_nothing(machine: tuple[StateMachine, End]) -> None:
    runs, _ = machine
    runs.stop("retrain-1", "the model is retired")
    assert runs.execution("retrain-1") is Execution.NEVER_STARTED

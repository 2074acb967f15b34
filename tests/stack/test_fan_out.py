"""Scheduled events that name no model, on a running stack: each function starts itself once for each model."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hindsight.adapters.models_table.check_table import DynamoChecks
from hindsight.adapters.models_table.registry_table import DynamoRegistry
from hindsight.config.parse import parse_configuration
from hindsight.core.times import format_time
from hindsight.monitoring.results.check import Check, CheckKind, Verdict
from hindsight.testing.builders.configuration import document
from hindsight.testing.builders.pointers import promoted
from local.client import StackClient
from local.stack import running_stack
from local.state import Stack
from tests.stack.waiting import eventually

NOW = datetime(2025, 1, 1, 12, tzinfo=UTC)
MODELS = ("apart-a", "apart-b")
FUNCTIONS = (
    "CloseWindows",
    "ExpireReviews",
    "Monitor",
    "CheckTriggers",
    "PackObjects",
    "CompactLabels",
    "ExpireVersions",
    "EvaluateRollouts",
)
QUIET = {"cooldown": "P1D", "min_new_labels": 0, "schedule": None, "volume": None}

Answer = dict[str, Any]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own: what is started here is started for every model there is, and each takes a process."""
    folder = tmp_path_factory.mktemp("fan-out")
    try:
        with running_stack(folder) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def client(stack: Stack) -> StackClient:
    return StackClient(stack)


@pytest.fixture(scope="module", autouse=True)
def models(client: StackClient) -> None:
    """Two models with champions that were promoted long ago and found low, by checks that policies do not listen to."""
    registry = DynamoRegistry(client.stack.outputs["ModelsTable"], client.aws("dynamodb"))
    for model in MODELS:
        body = {**document(), "model": model, "triggers": {**QUIET, "performance": False, "drift": False}}
        assert parse_configuration(body)
        client.call("PUT", f"models/{model}", key="operator", json=body)
        registry.move_pointer(model, promoted("v1", NOW - timedelta(days=90)))


def invoke(client: StackClient, function: str, event: dict[str, Any]) -> Answer:
    name = client.stack.outputs[f"{function}Function"]
    answer = client.aws("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    assert "FunctionError" not in answer
    found: Answer = json.loads(answer["Payload"].read())
    return found


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_schedule_starts_the_function_once_for_each_model(client: StackClient, function: str) -> None:
    event = {"source": "aws.scheduler", "id": f"{function}-1", "time": format_time(NOW), "detail": "{}"}
    assert invoke(client, function, event) == {"started": len(MODELS), "is_complete": True}


def test_schedule_starts_the_work_of_each_model(client: StackClient) -> None:
    checks = DynamoChecks(client.stack.outputs["ModelsTable"], client.aws("dynamodb"))
    moment = NOW + timedelta(days=300)
    event = {"source": "aws.scheduler", "id": "tick-2", "time": format_time(moment), "detail": "{}"}
    assert invoke(client, "Monitor", event)["started"] == len(MODELS)
    for model in MODELS:
        eventually(lambda model=model: (found := checks.latest(model, CheckKind.DRIFT)) and found.at == moment)
    invoke(client, "CheckTriggers", {**event, "id": "tick-3"})
    for model in MODELS:
        last = eventually(lambda model=model: client.call("GET", f"models/{model}", key="operator")["last_evaluation"])
        assert last["at"] == format_time(moment)


def test_an_alarm_over_all_models_starts_a_check_of_each_that_is_low(client: StackClient) -> None:
    checks = DynamoChecks(client.stack.outputs["ModelsTable"], client.aws("dynamodb"))
    moment = NOW + timedelta(days=310)
    for model, verdict in zip(MODELS, (Verdict.LOW, Verdict.OK), strict=True):
        kept = {"model": model, "kind": CheckKind.PERFORMANCE, "at": moment, "model_version": "v1"}
        checks.put(Check(**kept, verdict=verdict, reason="a test"))  # type: ignore[arg-type]
    message = {
        "AlarmName": "low",
        "NewStateValue": "ALARM",
        "NewStateReason": "crossed",
        "StateChangeTime": "2025-11-07T13:00:00.000+0000",
        "Trigger": {"MetricName": "LivePerformanceShortfall", "Dimensions": []},
    }
    notice = {"EventSource": "aws:sns", "Sns": {"MessageId": "message-1", "Message": json.dumps(message)}}

    invoke(client, "CheckTriggers", {"Records": [notice]})

    (decision,) = eventually(lambda: client.call("GET", f"models/{MODELS[0]}/decisions", key="operator")["decisions"])
    assert (decision["cause"], decision["blocked_by"][0]["code"]) == ("alarm", "no_signal")
    assert client.call("GET", f"models/{MODELS[1]}/decisions", key="operator")["decisions"] == []

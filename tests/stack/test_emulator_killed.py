"""The whole of AWS dies in the middle of a run, with all that runs in it, and comes back with what it had written."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bench.close import MODEL, NAMES, NEW, OLD, WINDOW, ClosedLoop
from hindsight.adapters.models_table.trigger_table import DynamoTriggers
from hindsight.core.times import format_time
from local.client import StackClient
from local.server import Server, free_port
from local.stack import SIMULATED_TIME, start
from tests.stack.waiting import eventually


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(free_port(), tmp_path / "stack", persists=True)
    yield server
    server.stop()
    shutil.rmtree(tmp_path, ignore_errors=True)


def serving(client: StackClient) -> str:
    asked = {"instances": [{"features": dict.fromkeys(NAMES, 0.1)}]}
    [answer] = client.call("POST", f"models/{MODEL}/predict", key="app", json=asked)["predictions"]
    return str(answer["model_version"])


def is_training(client: StackClient, decision: str) -> bool:
    machine = client.stack.outputs["RetrainingStateMachine"]
    arn = machine.replace(":stateMachine:", ":execution:") + f":{decision}"
    history = client.aws("stepfunctions").get_execution_history(executionArn=arn)["events"]
    return any(event.get("stateEnteredEventDetails", {}).get("name") == "TrainCandidates" for event in history)


def test_a_run_cut_off_by_the_end_of_everything_fails_cleanly_and_the_next_one_succeeds(server: Server) -> None:
    client = StackClient(start(server, SIMULATED_TIME))
    closing = ClosedLoop(client, seed=5)
    champion = closing.close(closing.make("old", OLD, 400, 1.0), by_hand=True)["version"]
    rows = closing.make("new", NEW, 400, -1.0)
    closing.log(rows)
    closing.send_outcomes(rows)
    closing.wait_for_labels(rows)
    now = rows[-1].occurred_at + WINDOW + timedelta(hours=2)
    asked = {"reason": "to be cut off", "occurred_at": format_time(now), "force": True}
    cut_off = client.call("POST", f"models/{MODEL}/retrain", key="operator", json=asked)["decision_id"]
    eventually(lambda: is_training(client, cut_off))

    server.stop()
    server.start()

    assert serving(client) == champion
    triggers = DynamoTriggers(client.stack.outputs["ModelsTable"], client.aws("dynamodb"))
    held = triggers.load(MODEL).open_run
    assert held is not None
    assert held.decision_id == cut_off
    within_its_lease = now + timedelta(hours=1)
    assert within_its_lease < held.lease_expires_at
    client.run_schedule("CheckTriggers", within_its_lease, MODEL)
    ended = triggers.decision(MODEL, now, cut_off)
    assert ended is not None
    assert ended.outcome == "failed"
    assert serving(client) == champion
    again = {"reason": "once more", "occurred_at": format_time(now + timedelta(hours=2)), "force": True}
    client.call("POST", f"models/{MODEL}/retrain", key="operator", json=again)
    assert eventually(lambda: serving(client) if serving(client) != champion else None)

"""Athena chooses a run's records: its SQL is really run, over what compaction wrote, by a stack that is set so."""

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bench.close import MODEL, OLD, WINDOW, ClosedLoop
from hindsight.core.times import format_time
from local.client import StackClient
from local.job_end import start_and_wait
from local.stack import running_stack
from tests.stack.waiting import eventually


@pytest.fixture
def own_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StackClient]:
    # The emulator takes the run's waits for a look at the query for shorter than they are.
    monkeypatch.setenv("SFN_WAIT_SCALE", "0.05")
    with running_stack(tmp_path / "stack", {"SnapshotEngine": "athena"}) as stack:
        yield StackClient(stack)
    shutil.rmtree(tmp_path, ignore_errors=True)


def test_run_is_trained_on_records_chosen_by_athena_and_on_later_ones(own_client: StackClient) -> None:
    client, closing = own_client, ClosedLoop(own_client, seed=5)
    rows = closing.make("athena", OLD, 400, 1.0)
    closing.log(rows)
    closing.send_outcomes(rows[:300])
    closing.wait_for_labels(rows[:300])
    now = rows[-1].occurred_at + WINDOW + timedelta(hours=2)
    compacted = client.run_schedule("CompactLabels", now + timedelta(days=30), MODEL)
    assert compacted["records"] == 300
    closing.send_outcomes(rows[300:])
    closing.wait_for_labels(rows)

    run = {"model": MODEL, "decision_id": "by-hand", "fencing_token": 9, "as_of": format_time(now), "reason": "a test"}
    functions, name = client.aws("lambda"), client.stack.outputs["SnapshotFunction"]
    by_lambda = json.loads(functions.invoke(FunctionName=name, Payload=json.dumps(run).encode())["Payload"].read())

    asked = {"reason": "what Athena chose", "occurred_at": format_time(now), "force": True}
    decision_id = client.call("POST", f"models/{MODEL}/retrain", key="operator", json=asked)["decision_id"]

    left_out = "79 rows left out: not due before the holdout began"
    assert eventually(lambda: outcome_of(client, decision_id)) == ("promoted", left_out)
    [answer] = [key for key in client.lake.keys(f"queries/model={MODEL}/{decision_id}/") if key.endswith(".csv")]
    assert len(client.lake.read_bytes(answer).splitlines()) == 1 + 300
    [version] = client.call("GET", f"models/{MODEL}/versions", key="operator")["versions"]
    assert version["lineage"]["dataset_id"] == by_lambda["dataset_id"]
    verification = f"datasets/{by_lambda['dataset_id']}/verify"
    assert start_and_wait(client, MODEL, "POST", verification, patience=120)["result"]["is_reproducible"]


def outcome_of(client: StackClient, decision_id: str) -> tuple[str, str | None] | None:
    listed = client.call("GET", f"models/{MODEL}/decisions", key="operator")["decisions"]
    [found] = [decision for decision in listed if decision["decision_id"] == decision_id]
    return (found["outcome"], found.get("outcome_reason")) if found.get("outcome") else None

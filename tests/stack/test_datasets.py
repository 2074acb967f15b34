"""Label records become a dataset, are compacted, and the dataset is built again: over S3, with IAM enforced."""

import argparse
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from hindsight.core.times import format_time
from local.client import CallFailed, StackClient
from local.commands import export as export_command
from local.commands import verify as verify_command
from local.job_end import start_and_wait
from local.state import StateFolder
from tests.unit.training.world import BINARY_RULE, learnable, store

MODEL = "compacted"
MOVED = timedelta(days=400)  # apart from what other tests of the stack are about
AS_OF = datetime(2027, 5, 10, tzinfo=UTC)
RECORDS = 900


@pytest.fixture(scope="module")
def labelled(client: StackClient) -> None:
    """A model with label records in many small objects, as the stream writes them."""
    configure(client, MODEL, RECORDS, training={"candidates": ["logistic_regression"]})


def configure(client: StackClient, model: str, records: int, **sections: Any) -> None:
    configuration: dict[str, Any] = {
        "model": model,
        "task": "binary",
        "features": {
            "temperature": {"type": "numeric"},
            "hour": {"type": "categorical"},
            "holiday": {"type": "boolean"},
        },
        "labels": {"rules": [BINARY_RULE]},
        **sections,
    }
    client.call("PUT", f"models/{model}", key="operator", json=configuration)
    rows = []
    for row in learnable(records):
        times = {name: getattr(row, name) + MOVED for name in ("occurred_at", "outcome_due_at", "known_at")}
        rows.append(replace(row, model=model, **times))
    for piece in range(3):
        store(client.lake, rows[piece::3])


def run(client: StackClient, number: int, as_of: datetime = AS_OF, model: str = MODEL) -> dict[str, Any]:
    """Take the snapshot step of a run, as the state machine does."""
    return step(client, "Snapshot", run_of(number, as_of, model))


def run_of(number: int, as_of: datetime, model: str = MODEL) -> dict[str, Any]:
    named = {"model": model, "decision_id": f"run-{number}", "fencing_token": number}
    return {**named, "as_of": format_time(as_of), "reason": "schedule: 30 days"}


def step(client: StackClient, name: str, event: dict[str, Any]) -> dict[str, Any]:
    function = client.stack.outputs[f"{name}Function"]
    answer = client.aws("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    payload: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload


def verified(client: StackClient, dataset_id: str) -> dict[str, Any]:
    job = start_and_wait(client, MODEL, "POST", f"datasets/{dataset_id}/verify", patience=120)
    assert job["status"] == "completed", job
    found: dict[str, Any] = job["result"]
    return found


def objects(client: StackClient, kind: str) -> list[str]:
    return list(client.lake.keys(f"{kind}/model={MODEL}/"))


def test_a_dataset_is_the_same_before_and_after_compaction_and_built_again_from_both(
    client: StackClient, labelled: None, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    before = len(objects(client, "labels"))
    taken = run(client, 1)
    assert taken["status"] == "ready", taken
    first = verified(client, taken["dataset_id"])
    assert first["is_reproducible"], first

    done = client.run_schedule("CompactLabels", AS_OF + timedelta(days=10), MODEL)

    assert (done["objects"], done["records"], done["is_complete"]) == (before, RECORDS, True)
    assert len(objects(client, "labels")) == len(objects(client, "compacted")) == before // 3 == done["files"]
    assert run(client, 2)["dataset_id"] == taken["dataset_id"]
    assert verified(client, taken["dataset_id"]) == first

    later = run(client, 3, AS_OF + timedelta(hours=1))
    assert verified(client, later["dataset_id"])["is_reproducible"]
    with np.load(io.BytesIO(client.lake.read_bytes(f"datasets/model={MODEL}/{later['dataset_id']}/train.npz"))) as part:
        assert len(part["numeric.temperature"]) == len(part["label"]) > 500

    StateFolder(tmp_path).remember(client.stack)
    asked = parsed(["--model", MODEL, "--dataset", later["dataset_id"]], tmp_path)
    assert verify_command.run(asked) == 0
    assert "built again bit for bit" in capsys.readouterr().out


def test_a_step_of_training_that_is_repeated_takes_the_settings_the_first_has_found(client: StackClient) -> None:
    model, as_of = "searched", AS_OF + timedelta(days=90)
    configure(client, model, 2_700, training={"window": "P200D", "search": {"trials": 2}})
    dataset = run(client, 1, as_of, model)["dataset_id"]
    asked = {**run_of(1, as_of, model), "dataset_id": dataset, "candidate": "gradient_boosting"}
    first, again = (step(client, "Train", asked) for _ in range(2))
    assert again == first
    assert list(client.lake.keys(f"models/model={model}/version={first['version']}/search.json"))


def test_an_app_may_not_have_a_dataset_built_again(client: StackClient, labelled: None) -> None:
    with pytest.raises(CallFailed, match="403"):
        client.call("POST", f"models/{MODEL}/datasets/d1/verify", key="app")
    with pytest.raises(CallFailed, match="404"):
        client.call("POST", f"models/{MODEL}/datasets/d1/verify", key="operator")


def test_labels_compacted_or_not_are_exported_into_a_file(
    client: StackClient, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    model, records = "exported", 300
    configure(client, model, records)
    done = client.run_schedule("CompactLabels", AS_OF - timedelta(days=28), model)
    assert 0 < done["records"] < records
    StateFolder(tmp_path).remember(client.stack)
    out = tmp_path / "labels.parquet"
    asked = ["--model", model, "--out", str(out), "--to", "2027-05-31"]

    assert export_command.run(parsed(asked, tmp_path, export_command)) == 0

    assert f"{records} labels" in capsys.readouterr().out
    columns = 'count(DISTINCT prediction_id), avg(label), count("feature.temperature"), max("feature.hour")'
    rows, mean, given, hour = duckdb.sql(f"SELECT {columns} FROM read_parquet('{out}')").fetchall()[0]
    assert (rows, 0.3 < mean < 0.7, records * 0.9 < given < records, hour) == (records, True, True, "9")
    with pytest.raises(CallFailed, match="from must lie before to"):
        export_command.run(parsed([*asked, "--from", "2029-01-01"], tmp_path, export_command))


def parsed(arguments: list[str], state: Path, command: Any = verify_command) -> Any:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(arguments, argparse.Namespace(state=state))

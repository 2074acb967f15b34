"""Compaction and verification through their handlers and moto."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from math import isnan
from pathlib import Path
from typing import Any

import duckdb
import pytest

from functions.compact_labels.app import handler as compact
from functions.get_model.app import handler as report
from functions.request_jobs.app import handler as request
from functions.snapshot.app import handler as snapshot
from functions.verify_dataset.app import handler as verify
from hindsight.bootstrap import clients, labelling, stores
from hindsight.bootstrap.settings import Deployment
from hindsight.labels.archiving.new_label_counts import NewLabel
from tests.functions.background import create_function
from tests.functions.conftest import ENVIRONMENT, EVENTS, Context
from tests.functions.requests import send
from tests.functions.test_retraining_steps import run_event
from tests.unit.datasets.builders import rows_in
from tests.unit.training.world import MODEL, START, learnable, revision, store

Event = dict[str, Any]
MOMENTS = ("occurred_at", "outcome_due_at", "known_at")
Sample = Callable[[str], Event]


@dataclass(frozen=True)
class Hurried(Context):
    def get_remaining_time_in_millis(self) -> int:
        return 1


@dataclass(frozen=True)
class Patient(Context):
    def get_remaining_time_in_millis(self) -> int:
        return 900_000


@pytest.fixture
def labelled(deployed: None) -> None:
    stores.configurations().put(revision(training={"window": "P60D"}).configuration, START)
    store(stores.lake(), learnable(1000))


@pytest.fixture
def dataset(labelled: None, context: Context) -> str:
    """A dataset, and the function that a request to verify it invokes."""
    create_function(ENVIRONMENT["VERIFY_FUNCTION"])
    taken: str = snapshot(run_event(), context)["dataset_id"]
    return taken


def objects(prefix: str) -> list[str]:
    return list(stores.lake().keys(prefix))


def asked(dataset_id: str, model: str = MODEL, request_id: str = "r") -> tuple[int, Any]:
    path = f"/models/{model}/datasets/{dataset_id}/verify"
    return send(request, "request_jobs_verification", path=path, requestContext=context_of(request_id))


def context_of(request_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / "request_jobs_verification.json").read_text())["requestContext"]
    # Now: a verification that was asked for hours ago, and has no result, has failed.
    return {**found, "requestId": request_id, "requestTimeEpoch": int(time.time() * 1000)}


def job(job_id: str) -> dict[str, Any]:
    status, found = send(report, "get_model", path=f"/models/{MODEL}/jobs/{job_id}")
    assert status == 200
    shown: dict[str, Any] = found
    return shown


def test_the_sample_compacts_all_days(labelled: None, sample: Sample) -> None:
    days = len(objects("labels/"))
    done = compact(sample("compact_labels"), Patient())
    assert done == {"objects": days, "records": 1000, "files": days, "unreadable": 0, "is_complete": True}
    assert len(objects("compacted/")) == len(objects("labels/")) == days
    assert compact(sample("compact_labels"), Patient())["files"] == 0


def test_a_hurried_compaction_leaves_the_rest_to_the_next(labelled: None, sample: Sample) -> None:
    assert not compact(sample("compact_labels"), Hurried())["is_complete"]
    assert objects("compacted/") == []


def test_an_object_that_holds_no_label_records_is_left_and_counted(labelled: None, sample: Sample) -> None:
    key = f"labels/model={MODEL}/date=2026-03-05/broken.jsonl.gz"
    stores.lake().write_bytes(key, b"{}", "application/x-ndjson")
    assert compact(sample("compact_labels"), Patient())["unreadable"] == 1
    assert key in objects("labels/")


def test_compaction_changes_no_count_of_new_labels_however_many_nights_it_takes(labelled: None, sample: Sample) -> None:
    new_labels, end, window = labelling.new_labels(), START + timedelta(days=90), timedelta(days=60 + 90)
    new_labels.note(NewLabel(MODEL, found.prediction_id, START, found.matured_at) for found in learnable(1000))
    new_labels.condense(MODEL, START + timedelta(days=2))
    # Once they are settled they expire.
    table, client = clients.settings(Deployment).models_table, clients.dynamodb()
    for item in client.scan(TableName=table)["Items"]:
        if item["sk"]["S"].startswith(("arrived#", "summed#")):
            client.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})
    for context in [*[Hurried()] * 8, Patient(), Patient()]:
        compact(sample("compact_labels"), context)
        assert new_labels.count(MODEL, since=None, as_of=end, window=window) == 1000


def test_a_dataset_is_verified_before_and_after_its_sources_were_compacted(
    dataset: str, sample: Sample, context: Context
) -> None:
    first = verify({**sample("verify_dataset"), "job_id": asked(dataset)[1]["job_id"]}, context)
    assert (first["result"]["is_reproducible"], first["result"]["problems"]) == (True, [])
    assert (first["status"], first["progress"]) == ("completed", {"done": 1, "total": 1})
    assert first["result"]["rows"]["holdout"] == 200
    compact(sample("compact_labels"), Patient())
    again = verify({"model": MODEL, "job_id": asked(dataset, request_id="again")[1]["job_id"]}, context)
    assert (again["job_id"] != first["job_id"], again["result"]) == (True, first["result"])


def test_parts_are_copied_as_parquet_and_the_holdout_without_labels(dataset: str, tmp_path: Path) -> None:
    prefix = f"datasets/model={MODEL}/{dataset}/"
    copies = {Path(key).name: stores.lake().read_bytes(key) for key in objects(prefix) if key.endswith(".parquet")}
    for name, content in copies.items():
        (tmp_path / name).write_bytes(content)

    for part in ("train", "holdout"):
        rows = rows_in(stores.lake().read_bytes(f"{prefix}{part}.npz"))
        columns = [f"epoch_us({name})" if name in MOMENTS else as_copied(name) for name in rows[0]]
        copied = duckdb.sql(f"SELECT {', '.join(columns)} FROM '{tmp_path}/{part}.parquet'").fetchall()
        assert copied == [tuple(map(none_for_missing, row.values())) for row in rows]
    whole, unlabelled = (duckdb.sql(f"FROM '{tmp_path}/holdout{end}.parquet'").columns for end in ("", "-unlabelled"))
    of_labels = {"label", "kind", "seq", "known_at", "rules_revision", "labelled_without_review"}
    of_answers = {"model_version", "decision", "model_decision", "score"}
    assert (set(whole) - set(unlabelled), set(unlabelled) - set(whole)) == (of_labels | of_answers, set())


def as_copied(name: str) -> str:
    kind, _, feature = name.partition(".")
    return f'"feature.{feature}"' if feature else kind


def none_for_missing(value: Any) -> Any:
    return None if value in {"", None} or (isinstance(value, float) and isnan(value)) else value


def test_faults_of_a_dataset_are_reported(dataset: str, context: Context) -> None:
    lake = stores.lake()
    part = f"datasets/model={MODEL}/{dataset}/train.npz"
    content = lake.read_bytes(part)
    lake.write_bytes(part, content[:-1000], "application/zip")
    lake.delete(f"labels/model={MODEL}/date=2026-03-05/00000.jsonl.gz")

    found = verify({"model": MODEL, "job_id": asked(dataset)[1]["job_id"]}, context)["result"]

    assert not found["is_reproducible"]
    assert [problem.split(":")[0] for problem in found["problems"]] == [
        f"the train part of {dataset} cannot be read",
        f"the object labels/model={MODEL}/date=2026-03-05/00000.jsonl.gz is not the one the manifest names",
    ]


def test_a_request_is_taken_at_once_and_answered_when_it_is_done(dataset: str, context: Context) -> None:
    status, taken = asked(dataset)
    assert (status, list(taken)) == (202, ["job_id"])
    running = job(taken["job_id"])
    assert (running["kind"], running["status"], running["progress"]) == (
        "verification",
        "running",
        {"done": 0, "total": 1},
    )
    assert "result" not in running

    verify({"model": MODEL, "job_id": taken["job_id"]}, context)
    found = job(taken["job_id"])

    assert (found["status"], found["result"]["is_reproducible"]) == ("completed", True)
    assert (found["request"], found["actor"], "reason" in found) == ({"dataset_id": dataset}, "key:operator", False)
    # Delivered again, it is not verified again: what was found once stays.
    stores.lake().delete(f"datasets/model={MODEL}/{dataset}/train.npz")
    assert verify({"model": MODEL, "job_id": taken["job_id"]}, context) == found


def test_a_dataset_whose_manifest_is_gone_fails_its_verification(dataset: str, context: Context) -> None:
    _, taken = asked(dataset)
    stores.lake().delete(f"datasets/model={MODEL}/{dataset}/manifest.json")

    found = verify({"model": MODEL, "job_id": taken["job_id"]}, context)

    assert (found["status"], "does not exist" in found["failure"]) == ("failed", True)


def test_a_verification_that_runs_is_not_resumed(dataset: str) -> None:
    _, taken = asked(dataset)

    path = f"/models/{MODEL}/jobs/{taken['job_id']}/resume"
    status, answer = send(request, "request_jobs_verification", path=path)

    assert (status, answer["error"]["code"]) == (409, "not_resumable")


@pytest.mark.parametrize(("dataset_id", "model"), [("unknown", MODEL), ("d1", "unknown"), ("%20", MODEL)])
def test_missing_dataset_is_not_verified(dataset: str, dataset_id: str, model: str) -> None:
    assert asked(dataset_id, model)[0] == 404


def test_the_sample_asks_for_a_dataset_that_is_not_there(dataset: str) -> None:
    assert send(request, "request_jobs_verification")[0] == 404

"""Compaction and verification through their handlers and moto."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
import pytest

from functions.compact_labels.app import handler as compact
from functions.get_model.app import handler as report
from functions.request_jobs.app import handler as request
from functions.snapshot.app import handler as snapshot
from functions.verify_dataset.app import handler as verify
from hindsight.bootstrap import clients, labelling, stores
from hindsight.bootstrap.settings import Deployment
from hindsight.labels.archiving.new_label_counts import NewLabel
from tests.functions.conftest import ENVIRONMENT, Context
from tests.functions.requests import send
from tests.functions.test_retraining_steps import run_event
from tests.unit.training.world import MODEL, START, learnable, revision, store

Event = dict[str, Any]
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
    role = boto3.client("iam").create_role(RoleName="verify", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "")
    boto3.client("lambda").create_function(
        FunctionName=ENVIRONMENT["VERIFY_FUNCTION"],
        Runtime="python3.13",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
    )
    taken: str = snapshot(run_event(), context)["dataset_id"]
    return taken


def objects(prefix: str) -> list[str]:
    return list(stores.lake().keys(prefix))


def asked(dataset_id: str, method: str = "POST", model: str = MODEL) -> tuple[int, Any]:
    handler, sample = (request, "request_jobs_verification") if method == "POST" else (report, "get_model")
    return send(handler, sample, path=f"/models/{model}/datasets/{dataset_id}/verify")


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
    event = {**sample("verify_dataset"), "dataset_id": dataset}
    found = verify(event, context)
    assert (found["is_reproducible"], found["problems"], found["status"]) == (True, [], "finished")
    assert found["rows"]["holdout"] == 200
    compact(sample("compact_labels"), Patient())
    assert verify(event, context) == found


def test_faults_of_a_dataset_are_reported(dataset: str, sample: Sample, context: Context) -> None:
    lake, event = stores.lake(), {**sample("verify_dataset"), "dataset_id": dataset}
    part = f"datasets/model={MODEL}/{dataset}/train.npz"
    content = lake.read_bytes(part)
    lake.write_bytes(part, content[:-1000], "application/zip")
    lake.delete(f"labels/model={MODEL}/date=2026-03-05/00000.jsonl.gz")

    found = verify(event, context)

    assert not found["is_reproducible"]
    assert [problem.split(":")[0] for problem in found["problems"]] == [
        f"the train part of {dataset} cannot be read",
        f"the object labels/model={MODEL}/date=2026-03-05/00000.jsonl.gz is not the one the manifest names",
    ]


def test_a_request_is_taken_at_once_and_answered_when_it_is_done(dataset: str, context: Context) -> None:
    assert asked(dataset, "GET")[0] == 404
    status, taken = asked(dataset)
    assert (status, taken["dataset_id"], taken["status"]) == (202, dataset, "running")
    assert asked(dataset, "GET") == (200, taken)

    verify({"model": MODEL, "dataset_id": dataset, "requested_at": taken["requested_at"]}, context)

    status, found = asked(dataset, "GET")
    assert (status, found["is_reproducible"], found["requested_at"]) == (200, True, taken["requested_at"])


@pytest.mark.parametrize(("dataset_id", "model"), [("unknown", MODEL), ("d1", "nobody"), ("%20", MODEL)])
def test_missing_dataset_is_not_verified(dataset: str, dataset_id: str, model: str) -> None:
    for method in ("POST", "GET"):
        assert asked(dataset_id, method, model)[0] == 404


def test_the_sample_asks_for_a_dataset_that_is_not_there(dataset: str) -> None:
    assert send(request, "request_jobs_verification")[0] == 404

"""A dataset's predictions are indexed when it is built, and again when an erasure rewrites it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import boto3
import duckdb
import pytest

from functions.snapshot.app import handler as snapshot
from hindsight.bootstrap import clients, erasing, jobs, stores
from hindsight.datasets.members import bucket_of, find_member
from hindsight.reporting.lineage import uses_of
from tests.functions.conftest import Context
from tests.functions.test_retraining_steps import run_event
from tests.unit.labels.builders import prediction
from tests.unit.training.world import DELAY, MODEL, START, learnable, revision, store

pytestmark = pytest.mark.usefixtures("deployed")
THEIRS = "customer-17"
ASKED = {"reason": "asked for", "occurred_at": "2026-06-01T00:00:00Z"}


def build(context: Context) -> str:
    """Take a snapshot of 1,000 label records, one of them theirs."""
    stores.configurations().put(revision(training={"window": "P60D"}).configuration, START)
    rows = learnable(1000)
    rows[100] = replace(rows[100], entity_id=THEIRS)
    store(stores.lake(), rows)
    dataset_id: str = snapshot(run_event(), context)["dataset_id"]
    return dataset_id


def is_indexed(dataset_id: str, prediction_id: str) -> bool:
    buckets = stores.registry().dataset(MODEL, dataset_id).buckets
    assert buckets is not None
    held = stores.member_store().buckets(MODEL, {dataset_id: bucket_of(prediction_id, buckets)})
    return dataset_id in held and find_member(held[dataset_id], prediction_id) is not None


def test_a_snapshot_indexes_its_rows(context: Context) -> None:
    dataset_id = build(context)
    record = stores.registry().dataset(MODEL, dataset_id)
    rows = sum(record.counts[part]["rows"] for part in ("train", "holdout"))
    indexed = sum(is_indexed(dataset_id, f"p{number:05d}") for number in range(1000))
    assert (record.buckets, indexed) == (-(-rows // 250), rows)


def test_a_snapshot_taken_again_indexes_the_same(context: Context) -> None:
    dataset_id = build(context)
    before = boto3.client("dynamodb").scan(TableName="models")["Items"]
    assert snapshot(run_event(), context)["dataset_id"] == dataset_id
    assert boto3.client("dynamodb").scan(TableName="models")["Items"] == before


def test_datasets_of_a_prediction_are_found_by_two_calls_without_the_lake(context: Context) -> None:
    dataset_id = build(context)
    occurred = START + timedelta(hours=100)
    asked = prediction("p00100", model=MODEL, occurred_at=occurred, outcome_due_at=occurred + DELAY)
    calls: list[str] = []
    for service in (clients.s3(), clients.dynamodb()):
        service.meta.events.register("before-call", lambda model, **_: calls.append(model.name))
    uses = uses_of(asked, stores.registry(), stores.member_store())
    assert [(use.dataset_id, use.part, use.seq) for use in uses.found] == [(dataset_id, "train", 1)]
    assert calls == ["Query", "BatchGetItem"]


def entities_in_copies(folder: Path) -> list[set[str]]:
    """List the entities named in each version of each Parquet file of a dataset."""
    s3, found = boto3.client("s3"), list[set[str]]()
    for version in s3.list_object_versions(Bucket="lake", Prefix="datasets/")["Versions"]:
        if version["Key"].endswith(".parquet"):
            stored = s3.get_object(Bucket="lake", Key=version["Key"], VersionId=version["VersionId"])
            (path := folder / "copy.parquet").write_bytes(stored["Body"].read())
            found.append({name for (name,) in duckdb.sql(f"SELECT entity_id FROM '{path}'").fetchall() if name})
    return found


@pytest.mark.usefixtures("versioned")
def test_erased_entity_is_in_no_index_and_no_copy_and_others_are(
    context: Context, sent: Callable[[], list[str]], tmp_path: Path
) -> None:
    dataset_id = build(context)
    assert is_indexed(dataset_id, "p00100")
    assert sorted(entities_in_copies(tmp_path)) == [set(), set(), {THEIRS}]
    at = START + timedelta(days=90)
    job = jobs.erasure_requests().take(MODEL, THEIRS, ASKED, now=at, request_id="r", actor="key:operator")
    for _ in range(2):
        erasing.eraser().run(MODEL, job.job_id, lambda: True)
    record = stores.registry().dataset(MODEL, dataset_id)
    assert record.expired_at is None
    assert not is_indexed(dataset_id, "p00100")
    assert entities_in_copies(tmp_path) == [set(), set(), set()]
    assert is_indexed(dataset_id, "p00101")

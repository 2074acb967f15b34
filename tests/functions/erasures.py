"""Traces of entities for the tests of erasure."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3

from functions.erase_subject.app import RESERVED_MILLISECONDS
from functions.erase_subject.app import handler as erase
from functions.get_model.app import handler as report
from functions.request_jobs.app import handler as request
from hindsight.adapters.predictions_table.prediction_store import DynamoPredictions
from hindsight.bootstrap import erasing, jobs, labelling, stores
from hindsight.core.jobs import Job
from hindsight.core.times import format_time
from hindsight.labels.archiving.archive import Archive
from hindsight.labels.joining.join import JoinCount
from hindsight.quarantine.rejects import RejectCode
from hindsight.quarantine.store import QuarantinedRow
from tests.functions.conftest import Context
from tests.functions.labelling import outcome
from tests.functions.requests import send
from tests.functions.test_join_survives_kills import Fuse, Killed, watched
from tests.unit.labels.builders import DEMAND, MODEL, NOON, RETENTION, at, configuration, prediction

Sample = Callable[[str], dict[str, Any]]


Sent = Callable[[], list[str]]


@dataclass(frozen=True)
class ShortOfTime(Context):
    """An invocation that is nearly over."""

    def get_remaining_time_in_millis(self) -> int:
        return RESERVED_MILLISECONDS - 1


THEIRS, OTHERS = "customer-17", "customer-18"


ASKED = {"reason": "asked for", "occurred_at": format_time(at(100))}


def live() -> None:
    """Two customers, each with predictions, feedback, labels, something rejected, and something that was replaced."""
    stores.configurations().put(configuration(DEMAND), NOON)
    for entity in (THEIRS, OTHERS):
        made = [prediction(f"{entity}-{number}", hours=number, entity_id=entity) for number in range(3)]
        store().save(made, RETENTION)
        Archive(stores.lake()).write_predictions(entity[-2:], made)
        feedback = [outcome(one.prediction_id, 1.5) for one in made]
        report = labelling.label_joiner().join(feedback)
        assert report.counts[MODEL][JoinCount.JOINED] == len(made)
        lines = b"".join(json.dumps(raw(entity, one.prediction_id)).encode() + b"\n" for one in made)
        stores.lake().write_bytes(f"feedback/date=2026-03-01/{entity[-2:]}.gz", gzip.compress(lines), "text/plain")
        stores.lake().write_bytes(f"imports/model=bike-demand/predictions/{entity[-2:]}.jsonl", lines, "text/plain")
        labelling.quarantine().put([rejected(entity)])
    for _ in range(2):
        stores.lake().write_bytes("exports/model=bike-demand/export-1.parquet", THEIRS.encode(), "text/plain")


def raw(entity: str, prediction_id: str) -> dict[str, Any]:
    return {
        "model": MODEL,
        "prediction_id": prediction_id,
        "feedback_id": f"f-{entity}",
        "name": "demand",
        "value": 1.5,
    }


def rejected(entity: str) -> QuarantinedRow:
    text = json.dumps({"prediction_id": f"{entity}-0", "name": "demand", "value": "many"})
    return QuarantinedRow(
        code=RejectCode.INVALID, reason="no number", day=at(0).date(), model=MODEL, received_at=at(0), text=text
    )


def store() -> DynamoPredictions:
    return DynamoPredictions("predictions", boto3.client("dynamodb"))


def traces(entity: str) -> list[str]:
    """List the versions of objects and the items that name an entity or one of its predictions."""
    s3, found = boto3.client("s3"), []
    for version in s3.list_object_versions(Bucket="lake").get("Versions", []):
        content = s3.get_object(Bucket="lake", Key=version["Key"], VersionId=version["VersionId"])["Body"].read()
        plain = gzip.decompress(content) if content[:3] == b"\x1f\x8b\x08" else content
        found += [version["Key"]] if entity.encode() in plain else []
    for table in ("predictions", "models"):
        for item in boto3.client("dynamodb").scan(TableName=table)["Items"]:
            found += [item["sk"]["S"]] if entity in str(item) and "erased" not in item else []
    return found


def begin() -> Job:
    status, answer = send(request, "request_jobs_erasure", ASKED)
    assert status == 202
    job = stores.job_store().load(MODEL, answer["job_id"])
    assert job is not None
    return job


def begin_another(request_id: str) -> Job:
    return jobs.erasure_requests().take(MODEL, THEIRS, ASKED, now=NOON, request_id=request_id, actor="key:operator")


def deliver(sample: Sample, body: str, context: Context | None = None) -> Any:
    event = sample("erase_subject")
    event["Records"][0]["body"] = body
    return erase(event, context or Context())


def get(path: str, **query: str) -> tuple[int, Any]:
    return send(report, "get_model", path=path, queryStringParameters=query or None)


def finish(job: Job) -> None:
    for _ in range(2):
        erasing.eraser().run(MODEL, job.job_id, lambda: True)


def killed_erasures(moment: str, begin: Callable[[int], Job], *, step: int) -> Iterator[int]:
    """Kill erasures at one call after another, and let the next run finish each, until one has no such call."""
    for burns_at in range(0, 10_000, step):
        job = begin(burns_at)
        try:
            with watched(moment, Fuse(burns_at)):
                finish(job)
        except Killed:
            finish(job)
            yield burns_at
        else:
            break

"""Handlers over a lake that answers as S3 does: 403 for a missing object to a caller without the right to list it.

What a handler may list is what its role in the template may, so that a right taken away fails here.
"""

import gzip
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from functions.join_labels.app import handler as join
from functions.relabel_files.app import handler as relabel
from hindsight.bootstrap import clients, labelling, stores
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.labels.relabelling.job import RelabelJob, run_input
from hindsight.lake.object_store import REWRITTEN
from local.rights import role_of
from local.transformed import deployment
from tests.functions.conftest import Context
from tests.functions.labelling import FILE, FIRST, configure, outcome, predict, write_feedback
from tests.unit.labels.builders import DEMAND, MODEL, NOON, at, configuration, key

pytestmark = pytest.mark.usefixtures("deployed")
Sample = Callable[[str], dict[str, Any]]


def answer_as_s3_does(role: str) -> None:
    """Answer the functions' client as S3 answers a role."""
    deployed = deployment()
    rights, lake = role_of(deployed, role), deployed.resources["LakeBucket"]["Arn"]
    asked = dict[str, str]()

    def denied(operation: str) -> ClientError:
        return ClientError({"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}, operation)

    def may_list(prefix: str) -> bool:
        return rights.may("s3:ListBucket", lake, {"s3:prefix": prefix})

    def note(params: dict[str, Any], **_: Any) -> None:
        asked["key"] = params["Key"]

    def hide(parsed: dict[str, Any], **_: Any) -> None:
        if parsed.get("Error", {}).get("Code") == "NoSuchKey" and not may_list(asked["key"]):
            parsed["Error"]["Code"] = "AccessDenied"

    def refuse(params: dict[str, Any], **_: Any) -> None:
        if not may_list(params.get("Prefix", "")):
            raise denied("ListObjectsV2")

    events = clients.s3().meta.events
    events.register("before-parameter-build.s3.GetObject", note)
    events.register("after-call.s3.GetObject", hide)
    events.register("before-parameter-build.s3.ListObjectsV2", refuse)


def rewrite(value: object) -> None:
    """Leave a feedback file as an erasure does: under another name, the old one gone."""
    content = gzip.compress(feedback_line(outcome(FIRST, value)))
    stores.lake().write_bytes(FILE + REWRITTEN, content, "application/x-ndjson")
    boto3.client("s3").delete_object(Bucket="lake", Key=FILE)


def value_of_first() -> object:
    (found,) = stores.label_store().load([key(FIRST)])
    return found.labels[-1].label.value if found.labels else None


def test_file_rewritten_by_an_erasure_is_joined_from_its_remaining_lines(sample: Sample, context: Context) -> None:
    configure()
    predict(FIRST)
    write_feedback(outcome(FIRST, 150))
    rewrite(150)
    answer_as_s3_does("JoinLabelsFunctionRole")

    event = sample("join_labels")
    event["Records"] = [one for one in event["Records"] if json.loads(one["body"]).get("Records")]

    assert join(event, context) == {"batchItemFailures": []}
    assert value_of_first() == 1


def test_file_rewritten_by_an_erasure_is_relabelled_from_its_remaining_lines(context: Context) -> None:
    stores.configurations().put(configuration(DEMAND), NOON)
    predict(FIRST)
    write_feedback(outcome(FIRST, 75))
    labelling.feedback_files().join(FILE)
    assert value_of_first() == 0
    stores.configurations().put(configuration({**DEMAND, "positive": {"greater_than": 50}}), at(50))
    job = RelabelJob(
        model=MODEL,
        job_id="1",
        reason="mended",
        rules_revision=2,
        known_at=at(50),
        started_at=at(50),
        files_total=1,
    )
    assert stores.relabel_store().begin(job, None)
    rewrite(75)
    answer_as_s3_does("RelabelFilesFunctionRole")

    run = run_input(job)
    relabel({name: run[name] for name in ("model", "job_id", "attempt")} | {"keys": [FILE]}, context)

    assert value_of_first() == 1


def test_lake_that_hides_missing_objects_is_recognised() -> None:
    answer_as_s3_does("CaptureFeedbackFunctionRole")
    with pytest.raises(ClientError, match="AccessDenied"):
        stores.lake().read_bytes(FILE)

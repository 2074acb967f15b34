"""A model is erased: what remains of it is the record of that and the job, and all other models stay as they were."""

from collections.abc import Iterator, Sequence
from typing import Any

import boto3
import pytest
from msgspec.structs import replace

from functions.configure_model.app import handler as configure
from functions.get_model.app import handler as get_model
from functions.request_jobs.app import handler as request
from hindsight.bootstrap import jobs, labelling, stores
from hindsight.core.jobs import find_job, job_message
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.ingestion.import_files import Upload
from hindsight.labels.archiving.existing_predictions import PredictionChange
from hindsight.lake.object_store import model_prefix
from hindsight.privacy.data_map import KINDS
from hindsight.testing.builders.configuration import configuration, document
from tests.functions.erasures import Sample, Sent, ShortOfTime, deliver, rejected
from tests.functions.labelling import outcome
from tests.functions.reads import check_documented
from tests.functions.requests import Answer, send
from tests.functions.test_join_survives_kills import Fuse, Killed, watched
from tests.unit.labels.builders import NOON, prediction

MODEL = "bike-demand"
# Their names begin with the same letters, or are the beginning of its name.
OTHERS = ("bike-demand-2", "bike")
IN_FEEDBACK = "feedback/date=2026-03-01/of-all"
UNREADABLE = "quarantine/model=_unreadable/date=2026-03-01/invalid-1.jsonl.gz"
Traces = dict[str, Any]


@pytest.fixture(autouse=True)
def world(versioned: None, sent: Sent) -> None:
    """A model with something in both tables and in the lake."""
    boto3.client("stepfunctions").create_state_machine(
        name="retraining",
        definition='{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 600, "End": true}}}',
        roleArn="arn:aws:iam::123456789012:role/run",
    )
    live(MODEL, KINDS[:2])


def live(model: str, kinds: Sequence[str] = KINDS) -> None:
    """Leave items of every sort of key, and objects of some kinds, replaced and deleted ones too."""
    stores.configurations().put(configuration().model_copy(update={"model": model}), NOON)
    in_predictions = [
        ("#p-1", "prediction"),
        ("#p-1", "label#00000001"),
        ("#p-2", "review"),
    ]
    # What a key is shared by, and what an entity sent, begins with a #.
    in_predictions_of_keys = [
        ("#entity#{}#customer-17", "event#f-1"),
        ("#entity#{}#customer-17", "at#2026-03-01T12:00:00.000000Z#f-1"),
        ("#reference#{}#order-9", "prediction#2026-03-01T12:00:00.000000Z#p-1"),
        ("#allowance#{}#a", "allowance"),
    ]
    for pattern, sort_key in in_predictions_of_keys:
        item = {"pk": {"S": pattern.format(model)}, "sk": {"S": sort_key}, "model": {"S": model}}
        boto3.client("dynamodb").put_item(TableName="predictions", Item=item)
    of_model = ("pointer", "triggers", "version#v1", "check#drift", "job#import-2026", "relabel-open")
    beside_it = [("#new-labels", "marks"), ("#members#d1", "000001"), ("#relabelling-2026#3", "#counts")]
    for table, keys in (("predictions", in_predictions), ("models", [*(("", name) for name in of_model), *beside_it])):
        for suffix, sort_key in keys:
            names = {"pk": model + suffix, "sk": sort_key, "model": model, "job_id": "relabelling-2026"}
            item = {name: {"S": text} for name, text in names.items()}
            boto3.client("dynamodb").put_item(TableName=table, Item=item)
    for kind in kinds:
        for name in ("kept", "replaced/a", "replaced/a", "deleted"):
            stores.lake().write_bytes(model_prefix(kind, model) + name, b"", "text/plain")
        stores.lake().delete(model_prefix(kind, model) + "deleted")


def share() -> None:
    """Leave a line of each model in an object of raw feedback, and in an unreadable one."""
    events = [replace(outcome("p-1", 1), model=model) for model in (MODEL, *OTHERS)]
    lines = b"".join(map(feedback_line, events))
    stores.lake().write_bytes(IN_FEEDBACK, lines, "application/x-ndjson")
    texts = [f'{{"model": "{model}", "value": tru' for model in (MODEL, *OTHERS)]
    rows = [{"code": "malformed", "line": number, "text": text} for number, text in enumerate(texts)]
    stores.lake().write_lines(UNREADABLE, rows)


def items() -> Iterator[tuple[str, dict[str, Any]]]:
    for table in ("predictions", "models"):
        for item in boto3.client("dynamodb").scan(TableName=table)["Items"]:
            yield table, item


def of_a_key(pk: str) -> list[str]:
    return pk.split("#")[2:3] if pk.startswith("#") else []


def traces(model: str) -> Traces:
    """Find all items and all versions and marks of objects whose keys name a model, and its lines in shared objects."""
    found: Traces = {
        f"{table} {item['pk']['S']} {item['sk']['S']}": item
        for table, item in items()
        if model in {item["pk"]["S"].split("#")[0], item["sk"]["S"], *of_a_key(item["pk"]["S"])}
    }
    listed = boto3.client("s3").list_object_versions(Bucket="lake")
    for version in [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]:
        if f"/model={model}/" in version["Key"]:
            found[f"{version['Key']} {version['VersionId']}"] = version["IsLatest"]
    for version in listed.get("Versions", []):
        if version["Key"].startswith((IN_FEEDBACK, UNREADABLE)):
            lines = f'"{model}"' in str(list(stores.lake().read_raw_lines(version["Key"])))
            found |= {version["Key"].removesuffix(".erased"): True} if lines else {}
    return found


def erase(**changes: Any) -> Answer:
    return send(configure, "configure_model_retirement", queryStringParameters={"erase": "true"}, **changes)


def context_of(sample: Sample, request_id: str) -> dict[str, Any]:
    return {**sample("configure_model_retirement")["requestContext"], "requestId": request_id}


def put_again(**query: str) -> Answer:
    return send(
        configure, "configure_model", document(), content_type="application/json", queryStringParameters=query or None
    )


def get(path: str = "") -> Answer:
    return send(get_model, "get_model", path=f"/models/{MODEL}{path}")


def work_off(sample: Sample, sent: Sent, *context: Any) -> int:
    runs = 0
    while bodies := sent():
        for body in bodies:
            assert deliver(sample, body, *context) == {"batchItemFailures": []}
            runs += 1
    return runs


@pytest.mark.parametrize("context", [(), (ShortOfTime(),)], ids=["at-once", "stopped-after-every-page"])
def test_nothing_remains_but_the_record_and_the_job(sample: Sample, sent: Sent, context: Any) -> None:
    for model in (MODEL, *OTHERS):
        live(model)
    share()
    before = {model: traces(model) for model in OTHERS}
    assert len(traces(MODEL)) > 60

    status, receipt = erase()
    runs = work_off(sample, sent, *context)

    assert (status, set(receipt)) == (202, {"job_id"})
    assert runs > 20 if context else runs == 2
    job = f"models {MODEL} job#{receipt['job_id']}"
    kept = traces(MODEL)
    assert set(kept) == {f"models {MODEL} configuration", job}
    assert set(kept[f"models {MODEL} configuration"]) == {
        *("pk", "sk", "revision", "retired_at", "retired_by", "retired_reason"),
        *("erasure_job_id", "erased_at", "erased_revisions"),
    }
    assert {model: traces(model) for model in OTHERS} == before
    assert list(stores.lake().keys("feedback/")) == [f"{IN_FEEDBACK}.erased"]


def test_model_is_retired_at_once_and_its_record_and_job_stay_readable(sample: Sample, sent: Sent) -> None:
    _, receipt = erase()
    [body] = sent()

    _, under_way = get()
    assert under_way["state"] == "retired"
    assert get("/versions")[0] == get("/configuration")[0] == 404
    assert MODEL not in str(send(get_model, "get_model", path="/models")[1])

    deliver(sample, body)
    work_off(sample, sent)

    status, record = get()
    check_documented(MODEL, record)
    assert (status, record["state"]) == (200, "erased")
    retired = record["retired"]
    assert (retired["reason"], retired["actor"], retired["job_id"]) == ("erased", "key:operator", receipt["job_id"])
    [listed] = send(get_model, "get_model", path=f"/models/{MODEL}/jobs", queryStringParameters={"kind": "erasure"})[1][
        "jobs"
    ]
    status, job = get(f"/jobs/{receipt['job_id']}")
    assert (status, job["status"], job["progress"]["done"]) == (200, "completed", job["progress"]["total"])
    assert job["request"] == listed["request"] == {"scope": "model"}
    assert (job["actor"], job["reason"]) == ("key:operator", "replaced by the model of the new stations")
    assert job["result"]["counts"]["table"] == 7
    assert job["result"]["counts"]["predictions"] == 5


def test_configuration_begins_a_new_model_once_the_erasure_is_completed(sample: Sample, sent: Sent) -> None:
    _, receipt = erase()
    for query in ({}, {"dry_run": "true"}):
        status, answer = put_again(**query)
        assert (status, answer["error"]["code"]) == (409, "conflict")
        assert receipt["job_id"] in answer["error"]["message"]
    work_off(sample, sent)

    assert put_again(dry_run="true")[1]["revision"] == 2
    status, answer = put_again()
    assert (status, answer["revision"], answer["effects"]) == (200, 2, [])
    assert get()[1]["champion"] is None
    found = send(get_model, "get_model", path=f"/models/{MODEL}/configurations")[1]["configurations"]
    assert [one["revision"] for one in found] == [2]


def test_same_request_again_finds_the_erasure_under_way_and_afterwards_begins_another(
    sample: Sample, sent: Sent
) -> None:
    _, first = erase()
    context = context_of(sample, "another")
    assert erase(requestContext=context)[1] == first
    work_off(sample, sent)
    assert send(configure, "configure_model_retirement")[0] == 404
    stores.lake().write_bytes(model_prefix("labels", MODEL) + "late", b"", "text/plain")

    _, second = erase(requestContext=context)
    work_off(sample, sent)

    assert second != first
    assert set(traces(MODEL)) == {f"models {MODEL} configuration", f"models {MODEL} job#{second['job_id']}"}


def test_late_data_is_not_kept(sample: Sample, sent: Sent) -> None:
    entity = jobs.erasure_requests().take(MODEL, "customer-17", {}, now=NOON, request_id="r", actor="key:operator")
    erase()
    work_off(sample, sent)
    before = set(traces(MODEL))

    labelling.quarantine().put([rejected("customer-17")])
    key = "feedback/date=2026-03-01/late"
    stores.lake().write_bytes(key, feedback_line(outcome("p-1", 1)), "application/x-ndjson")
    labelling.feedback_files().join(key)
    stores.lake().delete(key)
    upload = Upload(f"imports/model={MODEL}/feedback/late.jsonl", "1", NOON)
    assert labelling.file_imports().run(upload, lambda: True).job is None
    assert deliver(sample, job_message(entity)) == {"batchItemFailures": []}
    redriven = PredictionChange(prediction("p-1"), arrived_at=None)
    assert labelling.existing_predictions().among([redriven]) == []

    assert set(traces(MODEL)) == before


def test_entity_of_a_model_that_is_being_erased_is_not_erased_besides(sent: Sent) -> None:
    erase()
    path = f"/models/{MODEL}/entities/customer-17"
    assert send(request, "request_jobs_erasure", {"reason": "asked"}, path=path)[0] == 404


def test_erasure_is_resumed_until_it_is_over(sample: Sample, sent: Sent) -> None:
    _, receipt = erase()
    sent()
    path = f"/models/{MODEL}/jobs/{receipt['job_id']}/resume"

    assert send(request, "request_jobs", path=path) == (202, receipt)
    assert work_off(sample, sent) == 2

    status, answer = send(request, "request_jobs", path=path)
    assert (status, answer["error"]["code"]) == (409, "not_resumable")


def test_erasure_of_an_unknown_model_is_not_found(sent: Sent) -> None:
    assert erase(path="/models/unknown")[0] == 404
    assert sent() == []


@pytest.mark.parametrize("moment", ["before-call", "after-call"])
def test_killed_at_any_call_the_next_run_finishes_it(sample: Sample, sent: Sent, moment: str) -> None:
    kills = 0
    for burns_at in range(0, 10_000, 13):
        live(MODEL, KINDS[:2])
        receipt = erase(requestContext=context_of(sample, f"request-{burns_at}"))[1]
        try:
            with watched(moment, Fuse(burns_at)):
                work_off(sample, sent)
        except Killed:
            kills += 1
            sent()
            if not find_job(stores.job_store(), MODEL, receipt["job_id"]).is_over:
                jobs.erasure_requests().resume(MODEL, receipt["job_id"])
            work_off(sample, sent)
        else:
            break
        assert set(traces(MODEL)) == {f"models {MODEL} configuration", f"models {MODEL} job#{receipt['job_id']}"}, (
            burns_at
        )
    assert kills > 4

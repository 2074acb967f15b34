"""From the request over the queue to the last trace: through the handlers, stopped and killed on the way."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from functions.erase_subject.app import RESERVED_MILLISECONDS
from functions.erase_subject.app import handler as erase
from functions.get_model.app import handler as report
from functions.request_jobs.app import handler as request
from hindsight.adapters.predictions_table.prediction_store import DynamoPredictions
from hindsight.bootstrap import erasing, jobs, labelling, stores
from hindsight.core.jobs import Job, JobKind
from hindsight.core.times import format_time
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.ingestion.import_files import chunks_after
from hindsight.ingestion.prediction_store import SaveOutcome
from hindsight.labels.archiving.archive import Archive
from hindsight.labels.joining.feedback_files import is_to_be_joined
from hindsight.labels.joining.join import Joined
from hindsight.lake.object_store import LABELS, PREDICTIONS, day_prefix
from hindsight.lake.packer import Packer
from hindsight.privacy.requests import message
from hindsight.quarantine.rejects import RejectCode
from hindsight.quarantine.store import QuarantinedRow
from tests.functions.conftest import Context
from tests.functions.labelling import outcome
from tests.functions.requests import paths, send
from tests.functions.test_join_survives_kills import Fuse, Killed, watched
from tests.unit.labels.builders import DEMAND, MODEL, NOON, RETENTION, at, configuration, prediction

pytestmark = pytest.mark.usefixtures("deployed")
Sample = Callable[[str], dict[str, Any]]
Sent = Callable[[], list[str]]

THEIRS, OTHERS = "customer-17", "customer-18"
ASKED = {"reason": "asked for", "occurred_at": format_time(at(100))}


@dataclass(frozen=True)
class ShortOfTime(Context):
    """An invocation that is nearly over."""

    def get_remaining_time_in_millis(self) -> int:
        return RESERVED_MILLISECONDS - 1


@pytest.fixture(autouse=True)
def versioned(deployed: None) -> None:
    boto3.client("s3").put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})


def live() -> None:
    """Two customers, each with predictions, feedback, labels, something rejected, and something that was replaced."""
    stores.configurations().put(configuration(DEMAND), NOON)
    for entity in (THEIRS, OTHERS):
        made = [prediction(f"{entity}-{number}", hours=number, entity_id=entity) for number in range(3)]
        store().save(made, RETENTION)
        Archive(stores.lake()).write_predictions(entity[-2:], made)
        told = [outcome(one.prediction_id, 1.5) for one in made]
        report = labelling.label_joiner().join(told)
        assert report.counts[MODEL][Joined.JOINED] == len(made)
        lines = b"".join(json.dumps(raw(entity, one.prediction_id)).encode() + b"\n" for one in made)
        stores.lake().write_bytes(f"feedback/date=2026-03-01/{entity[-2:]}.gz", gzip.compress(lines), "text/plain")
        stores.lake().write_bytes(f"imports/model=bike-demand/predictions/{entity[-2:]}.jsonl", lines, "text/plain")
        labelling.quarantine().put([rejected(entity)])


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
    """Return the versions of objects and the items that name an entity or one of its predictions."""
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
    status, told = send(request, "request_jobs_erasure", ASKED)
    assert status == 202
    job = stores.job_store().load(MODEL, JobKind.ERASURE, told["erasure_id"])
    assert job is not None
    return job


def begin_another(request_id: str) -> Job:
    return jobs.erasure_requests().take(MODEL, THEIRS, ASKED, now=NOON, request_id=request_id)


def deliver(sample: Sample, body: str, context: Context | None = None) -> Any:
    event = sample("erase_subject")
    event["Records"][0]["body"] = body
    return erase(event, context or Context())


def get(path: str, **query: str) -> tuple[int, Any]:
    return send(report, "get_model", path=path, queryStringParameters=query or None)


def test_a_customer_is_erased_and_the_others_are_not_touched(sample: Sample, sent: Sent) -> None:
    live()
    before = sorted(traces(OTHERS))
    job = begin()
    (body,) = sent()

    assert deliver(sample, body) == {"batchItemFailures": []}
    assert sent() == [body]  # once more, for what was on its way
    assert deliver(sample, body) == {"batchItemFailures": []}
    assert sent() == []

    assert traces(THEIRS) == []
    kept = [key.removesuffix(".erased") for key in traces(OTHERS)]
    assert set(kept) == set(before)
    status, told = get(f"/models/{MODEL}/erasures/{job.job_id}")
    assert (status, told["status"], told["versions"], told["unreadable"]) == (200, "done", [], [])
    assert told["counts"] == {"feedback": 3, "imports": 3, "predictions": 3, "quarantine": 1, "table": 9}
    assert THEIRS not in json.dumps(told)
    assert get(f"/models/{MODEL}/erasures")[1]["erasures"][0]["subject"] == told["subject"] == job.request["subject"]


def test_rows_of_a_pack_are_erased_and_those_around_them_stay_as_they_were(sample: Sample, sent: Sent) -> None:
    live()
    lake = stores.lake()
    for entity in (THEIRS, OTHERS):
        rows = [{"prediction_id": f"{entity}-{number}", "entity_id": entity} for number in range(3)]
        dated = [{**row, "occurred_at": format_time(at(0))} for row in rows]
        lake.write_lines(f"{day_prefix(LABELS, MODEL, at(0).date())}{entity[-2:]}.jsonl.gz", dated)
    assert Packer(lake).sweep(MODEL, at(12), lambda: True).packs == 2
    packs = [key for kind in (PREDICTIONS, LABELS) for key in lake.keys(f"{kind}/")]
    before = {key: list(lake.read_lines(key)) for key in packs}
    begin()

    while bodies := sent():
        assert deliver(sample, bodies[0]) == {"batchItemFailures": []}

    assert traces(THEIRS) == []
    kept = {key: [row for row in rows if row["entity_id"] == OTHERS] for key, rows in before.items()}
    assert {key: list(lake.read_lines(key)) for key in packs} == kept
    assert all(len(rows) == 3 for rows in kept.values())


def test_a_prediction_that_only_a_replaced_object_of_the_log_names_is_erased_everywhere(
    sample: Sample, sent: Sent
) -> None:
    live()
    lake, name = stores.lake(), f"{THEIRS}-long-ago"
    row = {"prediction_id": name, "entity_id": THEIRS, "occurred_at": format_time(at(0))}
    packed_since = f"{day_prefix(PREDICTIONS, MODEL, at(0).date())}5.jsonl.gz"
    lake.write_lines(packed_since, [row])
    lake.delete(packed_since)
    lake.write_lines("feedback/date=2026-03-01/20.gz", [raw("nobody", name)])
    begin()

    while bodies := sent():
        assert deliver(sample, bodies[0]) == {"batchItemFailures": []}

    assert traces(THEIRS) == []


def test_whoever_asks_again_meanwhile_gets_the_same_erasure_and_afterwards_a_new_one(
    sample: Sample, sent: Sent
) -> None:
    live()
    first = begin()
    assert begin().job_id == first.job_id
    for body in [*sent(), *sent()]:
        deliver(sample, body)
    while bodies := sent():
        deliver(sample, bodies[0])

    deliver(sample, message(first))
    assert begin_another("another").job_id != first.job_id


def test_one_that_is_stopped_after_every_piece_of_work_ends_the_same(sample: Sample, sent: Sent) -> None:
    live()
    begin()
    runs = 0
    while bodies := sent():
        assert deliver(sample, bodies[0], ShortOfTime()) == {"batchItemFailures": []}
        runs += 1
    assert runs > 10
    assert traces(THEIRS) == []
    assert traces(OTHERS)


@pytest.mark.parametrize("moment", ["before-call", "after-call"])
def test_one_that_is_killed_at_any_call_is_finished_by_the_next(moment: str, sent: Sent) -> None:
    live()
    kills = 0
    for burns_at in range(0, 10_000, 7):
        live_again(burns_at)
        job = begin_another(f"again-{burns_at}")
        try:
            with watched(moment, Fuse(burns_at)):
                finish(job)
        except Killed:
            kills += 1
            finish(job)
        else:
            break
        assert traces(THEIRS) == [], burns_at
    assert kills > 10


def live_again(number: int) -> None:
    """Let new predictions of the customer come, with ids of their own."""
    made = [prediction(f"{THEIRS}-again-{number}", hours=number % 50, entity_id=THEIRS)]
    store().save(made, RETENTION)
    Archive(stores.lake()).write_predictions(f"again-{number}", made)
    labelling.label_joiner().join([outcome(made[0].prediction_id, 2.5)])


def finish(job: Job) -> None:
    for _ in range(2):
        erasing.eraser().run(MODEL, job.job_id, lambda: True)


def test_what_comes_late_for_an_erased_prediction_does_not_bring_it_back(sample: Sample, sent: Sent) -> None:
    live()
    finish(begin())

    report = labelling.label_joiner().join([outcome(f"{THEIRS}-0", 9.5)])
    assert report.counts[MODEL] == {Joined.ERASED: 1}
    (saved,) = store().save([prediction(f"{THEIRS}-0", entity_id=THEIRS)], RETENTION)
    assert saved.outcome is SaveOutcome.CONFLICT
    assert not labelling.label_joiner().close_windows([prediction(f"{THEIRS}-0").key], at(10_000)).counts
    assert traces(THEIRS) == []


def test_predictions_after_the_request_stay(sample: Sample, sent: Sent) -> None:
    live()
    job = begin()
    later = prediction("later", hours=200, entity_id=THEIRS)
    store().save([later], RETENTION)
    Archive(stores.lake()).write_predictions("later", [later])
    finish(job)

    assert stores.label_store().predictions([later.key])
    assert len(traces(THEIRS)) == 2  # the item, and its line of the log


def test_what_cannot_be_read_is_named_and_stops_nothing(sample: Sample, sent: Sent) -> None:
    live()
    stores.lake().write_bytes("feedback/date=2026-03-01/damaged.gz", b"\x1f\x8b not gzip", "text/plain")
    job = begin()
    finish(job)

    assert get(f"/models/{MODEL}/erasures/{job.job_id}")[1]["unreadable"] == ["feedback/date=2026-03-01/damaged.gz"]
    assert traces(THEIRS) == []


def test_ids_that_nothing_can_have_and_bodies_at_fault_are_refused(sent: Sent) -> None:
    stores.configurations().put(configuration(DEMAND), NOON)
    assert send(request, "request_jobs_erasure", ASKED, path=f"/models/{MODEL}/entities/a%2Fb")[0] == 404
    assert send(request, "request_jobs_erasure", ASKED, path="/models/unknown/entities/a")[0] == 404
    status, answer = send(request, "request_jobs_erasure", {"reason": 7})
    assert (status, paths(answer)) == (400, ["reason"])
    assert get(f"/models/{MODEL}/erasures/none")[0] == 404
    assert sent() == []


def test_a_message_that_names_no_erasure_comes_back(sample: Sample) -> None:
    stores.configurations().put(configuration(DEMAND), NOON)
    body = message(Job(kind=JobKind.ERASURE, model=MODEL, job_id="none", at=NOON))
    assert len(deliver(sample, body)["batchItemFailures"]) == 1


def test_a_file_that_is_told_of_when_it_was_rewritten_already_is_joined_as_what_is_left(sent: Sent) -> None:
    live()
    key = "feedback/date=2026-03-01/both.gz"
    events = [outcome(f"{THEIRS}-0", 7.5, hours=6), outcome(f"{OTHERS}-0", 8.5, hours=6)]
    stores.lake().write_bytes(key, gzip.compress(b"".join(map(feedback_line, events))), "application/x-ndjson")
    finish(begin())

    report = labelling.feedback_files().join(key)

    assert report.counts[MODEL][Joined.JOINED] == 1
    assert list(stores.lake().keys(key)) == [f"{key}.erased"]
    assert not is_to_be_joined(f"{key}.erased")


def test_an_import_on_its_way_goes_on_at_its_line_in_what_is_left(sent: Sent) -> None:
    live()
    key = "imports/model=bike-demand/feedback/past.jsonl"
    names = [f"{THEIRS}-0", *(f"{OTHERS}-{number % 3}" for number in range(5))]
    lines = [
        json.dumps({"feedback_id": f"past-{number}", "prediction_id": name, "name": "demand", "value": 1.0})
        for number, name in enumerate(names)
    ]
    stores.lake().write_bytes(key, "\n".join(lines).encode(), "application/x-ndjson")
    finish(begin())

    (chunk,) = chunks_after(stores.lake(), key, 2)

    assert [(line.number, json.loads(line.content)["feedback_id"]) for line in chunk.lines] == [
        (3, "past-2"),
        (4, "past-3"),
        (5, "past-4"),
        (6, "past-5"),
    ]
    assert chunk.fault is None

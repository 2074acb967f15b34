"""Erasures: requests, messages, and what arrives meanwhile."""

import gzip
import json

import pytest

from functions.log_predictions.app import handler as log_predictions
from functions.request_jobs.app import handler as request
from hindsight.bootstrap import labelling, stores
from hindsight.core.jobs import Job, JobKind, job_message
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.ingestion.import_files import chunks_after
from hindsight.ingestion.prediction_store import SaveOutcome
from hindsight.labels.archiving.archive import Archive
from hindsight.labels.joining.feedback_files import is_to_be_joined
from hindsight.labels.joining.join import JoinCount
from tests.functions.erasures import (
    ASKED,
    OTHERS,
    THEIRS,
    Sample,
    Sent,
    begin,
    begin_another,
    deliver,
    finish,
    get,
    live,
    store,
    traces,
)
from tests.functions.labelling import outcome
from tests.functions.requests import paths, send
from tests.unit.labels.builders import DEMAND, MODEL, NOON, RETENTION, at, configuration, prediction

pytestmark = pytest.mark.usefixtures("versioned")


def test_repeated_request_gets_the_running_erasure_and_later_a_new_one(sample: Sample, sent: Sent) -> None:
    live()
    first = begin()
    assert begin().job_id == first.job_id
    for body in [*sent(), *sent()]:
        deliver(sample, body)
    while bodies := sent():
        deliver(sample, bodies[0])

    deliver(sample, job_message(first))
    assert begin_another("another").job_id != first.job_id


def test_late_feedback_does_not_restore_an_erased_prediction(sample: Sample, sent: Sent) -> None:
    live()
    finish(begin())

    report = labelling.label_joiner().join([outcome(f"{THEIRS}-0", 9.5)])
    assert report.counts[MODEL] == {JoinCount.ERASED: 1}
    (saved,) = store().save([prediction(f"{THEIRS}-0", entity_id=THEIRS)], RETENTION)
    assert (saved.outcome, saved.is_erased) == (SaveOutcome.CONFLICT, True)
    assert not labelling.label_joiner().close_windows([prediction(f"{THEIRS}-0").key], at(10_000)).counts
    assert traces(THEIRS) == []


@pytest.mark.usefixtures("feedback_stream")
def test_rejected_predictions_of_a_customer_are_erased_and_those_of_others_stay(sent: Sent) -> None:
    live()
    wide = {f"column {number}": number for number in range(1000)}
    for entity in (THEIRS, OTHERS):
        # One as it was sent, one that was cut, and one that names no entity but has the id of a prediction of theirs.
        whole, cut = ({"score": 0.5, "model_version": "v", "features": found} for found in ({"colour": "red"}, wide))
        taken = {**whole, "features": {}, "prediction_id": f"{entity}-0"}
        items = [{**whole, "entity_id": entity}, {**cut, "entity_id": entity}, taken]
        status, receipt = send(log_predictions, "log_predictions", {"predictions": items})
        assert (status, [one["code"] for one in receipt["rejected"]]) == (202, ["invalid", "invalid", "conflict"])
    lake = stores.lake()
    for key in list(lake.keys("feedback/")):
        labelling.feedback_files().join(key)

    finish(begin())

    assert traces(THEIRS) == []
    kept = [row for key in lake.keys("quarantine/") for row in lake.read_lines(key) if row["kind"] == "prediction"]
    assert sorted((row["code"], row.get("truncated", False)) for row in kept) == [
        ("conflict", False),
        ("invalid", False),
        ("invalid", True),
    ]
    assert all(OTHERS in row["text"] for row in kept)


def test_predictions_after_the_request_stay(sample: Sample, sent: Sent) -> None:
    live()
    job = begin()
    later = prediction("later", hours=200, entity_id=THEIRS)
    store().save([later], RETENTION)
    Archive(stores.lake()).write_predictions("later", [later])
    finish(job)

    assert stores.label_store().predictions([later.key])
    assert len(traces(THEIRS)) == 2  # the item, and its line of the log


def test_unreadable_object_is_named_and_stops_nothing(sample: Sample, sent: Sent) -> None:
    live()
    stores.lake().write_bytes("feedback/date=2026-03-01/damaged.gz", b"\x1f\x8b not gzip", "text/plain")
    job = begin()
    finish(job)

    assert get(f"/models/{MODEL}/jobs/{job.job_id}")[1]["result"]["unreadable"] == [
        "feedback/date=2026-03-01/damaged.gz"
    ]
    assert traces(THEIRS) == []


def test_ids_that_nothing_can_have_and_bodies_at_fault_are_refused(sent: Sent) -> None:
    stores.configurations().put(configuration(DEMAND), NOON)
    assert send(request, "request_jobs_erasure", ASKED, path=f"/models/{MODEL}/entities/a%0Ab")[0] == 404
    assert send(request, "request_jobs_erasure", ASKED, path="/models/unknown/entities/a")[0] == 404
    status, answer = send(request, "request_jobs_erasure", {"reason": 7})
    assert (status, paths(answer)) == (400, ["reason"])
    assert get(f"/models/{MODEL}/jobs/erasure-none")[0] == 404
    assert sent() == []


def test_a_message_that_names_no_erasure_comes_back(sample: Sample) -> None:
    stores.configurations().put(configuration(DEMAND), NOON)
    body = job_message(Job(kind=JobKind.ERASURE, model=MODEL, job_id="none", at=NOON, started_at=NOON))
    assert len(deliver(sample, body)["batchItemFailures"]) == 1


def test_notification_of_a_rewritten_file_joins_its_remaining_lines(sent: Sent) -> None:
    live()
    key = "feedback/date=2026-03-01/both.gz"
    events = [outcome(f"{THEIRS}-0", 7.5, hours=6), outcome(f"{OTHERS}-0", 8.5, hours=6)]
    stores.lake().write_bytes(key, gzip.compress(b"".join(map(feedback_line, events))), "application/x-ndjson")
    finish(begin())

    report = labelling.feedback_files().join(key)

    assert report.counts[MODEL][JoinCount.JOINED] == 1
    assert list(stores.lake().keys(key)) == [f"{key}.erased"]
    assert not is_to_be_joined(f"{key}.erased")


def test_running_import_continues_at_its_line_of_the_rewritten_file(sent: Sent) -> None:
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

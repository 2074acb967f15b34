"""The erasure of an entity with feedback by entity and reference: nothing of it remains, others keep what is theirs."""

import gzip
import json
from typing import Any

import boto3
import pytest

from functions.archive_predictions.app import handler as archive_predictions
from functions.join_labels.app import handler as join_labels
from hindsight.bootstrap import jobs, labelling, stores
from hindsight.core.jobs import Job
from hindsight.entities.feedback import Feedback
from hindsight.entities.prediction import Prediction
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.labels.joining.join import JoinCount
from hindsight.lake.object_store import REPLAYED, day_prefix
from hindsight.quarantine.rejects import RejectCode
from tests.functions.conftest import Context
from tests.functions.erasures import (
    OTHERS,
    THEIRS,
    Sample,
    Sent,
    ShortOfTime,
    begin,
    deliver,
    finish,
    killed_erasures,
    store,
    traces,
)
from tests.functions.stream import inserted
from tests.unit.labels.builders import MODEL, NOON, RETENTION, at, configuration, event, key, prediction

pytestmark = pytest.mark.usefixtures("versioned")
CHURNED = {"event": "churned", "kind": "outcome", "by": "entity", "window": "P30D", "value": 1}
RETURNED = {"event": "returned", "kind": "outcome", "by": "reference", "window": "P30D", "value": 0}
SHARED = "order-of-both"
# The request names the moment 100 hours after noon.
AFTERWARDS = 200


@pytest.fixture(autouse=True)
def configured(sent: Sent, versioned: None) -> None:
    stores.configurations().put(configuration(CHURNED, RETURNED), NOON)


def by_entity(entity: str, name: str, hours: float = 5, **changes: Any) -> Feedback:
    said = event(changes.pop("event", "churned"), hours=hours, feedback_id=f"{entity}-{name}", **changes)
    return said.replace(prediction_id=None, entity_id=entity)


def by_reference(reference: str, name: str, hours: float = 6, **changes: Any) -> Feedback:
    said = event("returned", hours=hours, feedback_id=name, **changes)
    return said.replace(prediction_id=None, reference=reference)


def log(*predictions: Prediction) -> None:
    store().save(predictions, RETENTION)
    assert archive_predictions(inserted(*predictions), Context()) == {"batchItemFailures": []}


def join(name: str, *events: Feedback) -> None:
    """Join a file of raw feedback as a worker does."""
    key_of_file = f"feedback/date=2026-03-01/{name}.gz"
    stores.lake().write_bytes(key_of_file, gzip.compress(b"".join(map(feedback_line, events))), "text/plain")
    labelling.feedback_files().join(key_of_file)


def live() -> None:
    """Two customers with predictions, feedback by both keys, a reference of their own and one that both have."""
    for entity in (THEIRS, OTHERS):
        log(
            prediction(f"{entity}-0", 1, entity_id=entity, reference=f"{entity}-order"),
            prediction(f"{entity}-1", 2, entity_id=entity, reference=SHARED),
        )
        join(
            entity,
            by_entity(entity, "joined"),
            by_entity(entity, "early", hours=-9, event="retracted", value=f"{entity}-never-came"),
            by_entity(entity, "of-no-prediction", hours=-9),
            by_reference(f"{entity}-order", f"{entity}-of-own"),
        )
        rejected = [by_entity(entity, "unmatched"), by_reference(f"{entity}-order", "crowded")]
        labelling.quarantine().put_events(RejectCode.UNMATCHED, "no prediction came", rejected)
        rows = [{"code": "unmatched", "outcome": "joined", "event": one.to_plain()} for one in rejected]
        stores.lake().write_lines(f"{day_prefix(REPLAYED, MODEL, at(0).date())}{entity}.jsonl.gz", rows)
        named = [{"entity_id": entity}, {"reference": f"{entity}-order"}]
        lines = [json.dumps({"feedback_id": "f", "name": "churned", **one}) for one in named]
        path = f"imports/model={MODEL}/feedback/{entity}.jsonl"
        stores.lake().write_bytes(path, "\n".join(lines).encode(), "text/plain")
        stores.lake().write_bytes(f"exports/model={MODEL}/{entity}.parquet", entity.encode(), "text/plain")
    join("of-both", by_reference(SHARED, "of-both"))


def items() -> set[tuple[str, str]]:
    """List the keys of the items that predictions and events share."""
    found = boto3.client("dynamodb").scan(TableName="predictions")["Items"]
    return {(item["pk"]["S"], item["sk"]["S"]) for item in found if item["pk"]["S"].startswith("#")}


def values(name: str) -> list[object]:
    (found,) = stores.label_store().load([key(name)])
    return [record.label.value for record in found.labels]


def test_nothing_remains_of_an_entity_and_others_keep_theirs(sent: Sent, sample: Sample) -> None:
    live()
    assert (values(f"{OTHERS}-0"), values(f"{OTHERS}-1")) == ([0], [1, 1])
    before, labels = items(), [values(f"{OTHERS}-{number}") for number in range(2)]
    assert any("of-both" in sort_key for _, sort_key in before)

    finish(begin())

    assert traces(THEIRS) == []
    assert items() == {(pk, sk) for pk, sk in before if THEIRS not in pk + sk}
    assert [values(f"{OTHERS}-{number}") for number in range(2)] == labels
    lake = stores.lake()
    kept = b"".join(line for name in lake.keys("feedback/") for line in lake.read_raw_lines(name))
    assert b"of-both" in kept
    assert kept.count(OTHERS.encode()) > 4


def test_reference_that_no_other_entity_has_goes_with_its_events(sent: Sent) -> None:
    log(prediction("p-1", 1, entity_id=THEIRS, reference="order-9"))
    join("one", by_reference("order-9", "f-1"))

    finish(begin())

    assert items() == set()
    assert list(stores.lake().read_raw_lines("feedback/date=2026-03-01/one.gz.erased")) == []


def test_reference_that_a_prediction_of_no_entity_carries_keeps_its_events(sent: Sent) -> None:
    log(
        prediction("p-1", 1, entity_id=THEIRS, reference="order-9"),
        prediction("p-2", 1, entity_id=None, reference="order-9"),
    )
    join("one", by_reference("order-9", "f-1"))

    finish(begin())

    assert {sort_key.partition("#")[0] for _, sort_key in items()} == {"at", "event", "prediction"}
    assert not any("p-1" in sort_key for _, sort_key in items())
    assert values("p-2") == [0]


def test_events_that_come_after_the_request_are_taken(sent: Sent) -> None:
    live()
    job = begin()
    join("later", by_entity(THEIRS, "later", hours=AFTERWARDS), by_reference(f"{THEIRS}-order", "x", hours=AFTERWARDS))
    finish(job)
    later = prediction("new", AFTERWARDS - 1, entity_id=THEIRS)
    log(later)
    for body in sent():
        if "match" in body:
            join_message(body)

    assert values("new") == [1]
    kept = {sort_key.rpartition("#")[2] for pk, sort_key in items() if THEIRS in pk}
    assert kept == {f"{THEIRS}-later", "x", "new"}
    assert len(list(stores.lake().read_raw_lines("feedback/date=2026-03-01/later.gz"))) == 2


def join_message(body: str) -> None:
    record = {"messageId": "1", "body": body}
    join_labels({"Records": [record]}, Context())


def test_event_after_the_request_forgets_the_retraction_before_it(sent: Sent) -> None:
    withdrawing = by_entity(THEIRS, "r", hours=3, event="retracted", value=f"{THEIRS}-f")
    join("both", withdrawing, by_entity(THEIRS, "f", hours=AFTERWARDS))

    finish(begin())

    (item,) = (
        item
        for item in boto3.client("dynamodb").scan(TableName="predictions")["Items"]
        if item["sk"]["S"].startswith("event#")
    )
    assert item["sk"]["S"] == f"event#{THEIRS}-f"
    assert not [name for name in item if name.startswith("retraction#")]


def test_late_stream_records_and_queued_messages_bring_nothing_back(sent: Sent) -> None:
    live()
    join("early", by_entity(THEIRS, "waits", hours=40))
    late = prediction("late", 30, entity_id=THEIRS, reference=f"{THEIRS}-order")
    log(late)
    asked = [body for body in sent() if "match" in body]
    assert asked
    finish(begin())
    before = items()

    assert archive_predictions(inserted(late), Context()) == {"batchItemFailures": []}
    for body in asked:
        join_message(body)
    report = labelling.label_joiner().join([event("churned", prediction_id="late", hours=40)])

    assert report.counts[MODEL] == {JoinCount.ERASED: 1}
    assert items() == before
    assert traces(THEIRS) == []


def test_entries_and_events_between_the_passes_are_removed_by_the_second(sent: Sent, sample: Sample) -> None:
    live()
    begin()
    (body,) = [body for body in sent() if "match" not in body]
    assert deliver(sample, body) == {"batchItemFailures": []}
    made = prediction(f"{THEIRS}-0", 1, entity_id=THEIRS, reference=f"{THEIRS}-order")
    labelling.key_entries().enter([made])
    join("again", by_entity(THEIRS, "joined"), by_reference(f"{THEIRS}-order", f"{THEIRS}-of-own"))
    assert any(THEIRS in pk for pk, _ in items())

    while bodies := sent():
        assert deliver(sample, bodies[0], ShortOfTime()) == {"batchItemFailures": []}

    assert traces(THEIRS) == []


@pytest.mark.parametrize("moment", ["before-call", "after-call"])
def test_killed_at_any_call_it_is_finished_by_the_next(moment: str, sent: Sent) -> None:
    log(prediction(OTHERS, 1, entity_id=OTHERS, reference=SHARED))
    labelling.feedback_joiner().join([by_entity(OTHERS, "theirs"), by_reference(SHARED, "of-both")])
    expected, kills = items(), 0
    for burns_at in killed_erasures(moment, live_and_request, step=11):
        kills += 1
        assert items() == expected, burns_at
    assert kills > 6


def live_and_request(number: int) -> Job:
    """Let predictions of the customer come, and feedback by what they share, and request their erasure."""
    name = f"{THEIRS}-again-{number}"
    log(
        prediction(name, number % 50, entity_id=THEIRS, reference=f"{name}-order"),
        prediction(f"{name}-2", number % 50, entity_id=THEIRS, reference=SHARED),
    )
    labelling.feedback_joiner().join([by_entity(THEIRS, name, hours=60), by_reference(f"{name}-order", name, 60)])
    return requested(f"again-{number}")


def requested(request_id: str) -> Job:
    asked = {"reason": "asked for"}
    return jobs.erasure_requests().take(MODEL, THEIRS, asked, now=at(100), request_id=request_id, actor="key:operator")

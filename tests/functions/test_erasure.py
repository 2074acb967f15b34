"""From the request over the queue to the last trace: through the handlers, stopped and killed on the way."""

import json

import pytest

from hindsight.bootstrap import labelling, stores
from hindsight.core.jobs import Job
from hindsight.core.times import format_time
from hindsight.labels.archiving.archive import Archive
from hindsight.lake.object_store import LABELS, PREDICTIONS, day_prefix
from hindsight.lake.packer import Packer
from tests.functions.erasures import (
    OTHERS,
    THEIRS,
    Sample,
    Sent,
    ShortOfTime,
    begin,
    begin_another,
    deliver,
    get,
    killed_erasures,
    live,
    raw,
    store,
    traces,
)
from tests.functions.labelling import outcome
from tests.unit.labels.builders import MODEL, RETENTION, at, prediction

pytestmark = pytest.mark.usefixtures("versioned")


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
    status, job_read = get(f"/models/{MODEL}/jobs/{job.job_id}")
    assert (status, job_read["kind"], job_read["status"]) == (200, "erasure", "completed")
    assert job_read["result"] == {
        "counts": {"exports": 2, "feedback": 3, "imports": 3, "predictions": 3, "quarantine": 1, "table": 9},
        "datasets": [],
        "unreadable": [],
        "versions": [],
    }
    assert job_read["progress"]["done"] == job_read["progress"]["total"] > 10
    assert job_read["finished_at"] > job_read["started_at"]
    assert THEIRS not in json.dumps(job_read)
    [listed] = get(f"/models/{MODEL}/jobs", kind="erasure")[1]["jobs"]
    assert listed["request"] == job_read["request"] == {"subject": job.request["subject"]}
    assert (job_read["actor"], job_read["reason"]) == ("key:operator", "asked for")


def test_an_erasure_under_way_shows_how_far_it_is_and_not_whose_it_is(sample: Sample, sent: Sent) -> None:
    live()
    job = begin()
    (body,) = sent()
    deliver(sample, body)

    _, job_read = get(f"/models/{MODEL}/jobs/{job.job_id}")

    assert (job_read["status"], 2 * job_read["progress"]["done"]) == ("running", job_read["progress"]["total"])
    assert "finished_at" not in job_read
    assert THEIRS not in json.dumps(job_read)


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
    lake.write_lines("feedback/date=2026-03-01/20.gz", [raw("unknown", name)])
    begin()

    while bodies := sent():
        assert deliver(sample, bodies[0]) == {"batchItemFailures": []}

    assert traces(THEIRS) == []


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
    for burns_at in killed_erasures(moment, live_and_begin_again, step=5):
        kills += 1
        assert traces(THEIRS) == [], burns_at
    assert kills > 10


def live_and_begin_again(number: int) -> Job:
    """Let new predictions of the customer come, with ids of their own, and begin their erasure."""
    made = [prediction(f"{THEIRS}-again-{number}", hours=number % 50, entity_id=THEIRS)]
    store().save(made, RETENTION)
    Archive(stores.lake()).write_predictions(f"again-{number}", made)
    labelling.label_joiner().join([outcome(made[0].prediction_id, 2.5)])
    return begin_another(f"again-{number}")

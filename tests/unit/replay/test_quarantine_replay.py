"""A replay takes what can be read by now, whatever moment it is stopped at, and loses and doubles nothing."""

import json

import pytest

from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.labels.plan import MATCH_TIMEOUT
from hindsight.quarantine.rejects import RejectCode
from hindsight.quarantine.store import UNREADABLE, QuarantinedRow
from tests.unit.labels.builders import (
    DEMAND,
    MODEL,
    RETENTION,
    at,
    configuration,
    event,
    key,
    prediction,
)
from tests.unit.replay.replaying import ASKED_AT, Bench, thumb


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.store.save(prediction(), RETENTION)
    return bench


def test_feedback_rejected_by_a_wrong_rule_becomes_a_label_once_the_rule_is_mended(bench: Bench) -> None:
    bench.feed(thumb(source="web"))
    assert [row["reason"] for row in bench.quarantined()] == ["is none of 'bad', 'good'"]
    bench.mend()

    counts = bench.replay()

    assert counts == {"replayed": 1, "joined": 0, "kept": {}}
    # It occurred when it was sent, but was not known before the replay.
    assert bench.labels("p-1")[-1] == (1, ASKED_AT)
    (kept,) = bench.store.load([key()])[0].feedback
    assert (kept.occurred_at, kept.received_at, kept.source) == (at(1), ASKED_AT, "web")
    assert bench.quarantined() == []
    assert [(row["outcome"], json.loads(row["text"])["feedback_id"]) for row in bench.replayed()] == [
        ("replayed", "f-1")
    ]


def test_unreadable_row_stays_with_its_newest_reason(bench: Bench) -> None:
    bench.feed(thumb("f-1"), thumb("f-2", value="sideways"))
    bench.mend()

    counts = bench.replay()

    assert counts == {"replayed": 1, "joined": 0, "kept": {"invalid": 1}}
    assert [(row["code"], row["reason"], row["path"]) for row in bench.quarantined()] == [
        ("invalid", "is none of 'down', 'up'", "value")
    ]


def test_feedback_on_a_model_that_has_come_since_is_joined(bench: Bench) -> None:
    sent = event("demand", 150, model="late")
    bench.lake.write_bytes("feedback/date=2026-03-01/x", feedback_line(sent), "application/x-ndjson")
    bench.files.join("feedback/date=2026-03-01/x")
    assert bench.replay(model="late") == {"replayed": 0, "joined": 0, "kept": {"unknown_model": 1}}
    bench.configurations.put(configuration(DEMAND, model="late"), at(100))
    bench.store.save(prediction(model="late"), RETENTION)

    counts = bench.replay("request-2", model="late")

    assert counts["replayed"] == 1
    (collection,) = bench.store.load([key(model="late")])
    assert [(found.body_digest, found.received_at) for found in collection.feedback] == [(sent.body_digest, ASKED_AT)]


def test_a_conflict_stays_for_the_first_received_does(bench: Bench) -> None:
    first = event("demand", 150, feedback_id="f", received=2, digest="one")
    second = event("demand", 50, feedback_id="f", received=3, digest="two")
    bench.joiner.join([first, second])
    kept = bench.quarantined()

    counts = bench.replay()

    assert counts == {"replayed": 0, "joined": 0, "kept": {"conflict": 1}}
    assert (bench.labels("p-1"), bench.quarantined()) == ([(1, at(2))], kept)


def test_unmatched_feedback_stays_until_its_prediction_has_come(bench: Bench) -> None:
    bench.joiner.join([event("demand", 150, prediction_id="p-2")])
    bench.joiner.close_windows([key("p-2")], at(1) + MATCH_TIMEOUT)
    assert bench.replay() == {"replayed": 0, "joined": 0, "kept": {"unmatched": 1}}
    bench.store.save(prediction("p-2", received_at=at(190)), RETENTION)
    bench.joiner.rejoin([key("p-2")])
    labels = bench.labels("p-2")

    counts = bench.replay("request-2")

    assert counts == {"replayed": 0, "joined": 1, "kept": {}}
    assert bench.quarantined() == []
    assert bench.labels("p-2") == labels == [(1, at(190))]
    assert [row["outcome"] for row in bench.replayed()] == ["joined"]


def test_unmatched_feedback_that_the_table_has_forgotten_is_replayed(bench: Bench) -> None:
    bench.joiner.join([event("demand", 150, prediction_id="p-2")])
    bench.joiner.close_windows([key("p-2")], at(1) + MATCH_TIMEOUT)
    del bench.store.collections[key("p-2")]
    bench.store.save(prediction("p-2"), RETENTION)

    assert bench.replay()["replayed"] == 1

    assert bench.labels("p-2")[-1] == (1, ASKED_AT)


def test_an_item_that_was_cut_cannot_be_replayed(bench: Bench) -> None:
    bench.feed(thumb(value="x" * 10_000))

    assert bench.replay()["kept"] == {"invalid": 1}
    assert bench.quarantined()[0]["truncated"] is True


def test_lines_without_a_readable_model_are_replayed_under_their_own_name(bench: Bench) -> None:
    bench.lake.write_bytes("feedback/date=2026-03-01/x", b"{not json}\n", "application/x-ndjson")
    bench.files.join("feedback/date=2026-03-01/x")

    assert bench.replay(model=UNREADABLE)["kept"] == {"malformed": 1}


def test_a_line_that_could_not_be_read_then_but_can_now_is_joined(bench: Bench) -> None:
    line = feedback_line(event("demand", 150)).decode().strip()
    row = QuarantinedRow(
        code=RejectCode.MALFORMED,
        reason="an older reader could not",
        day=at(0).date(),
        model=MODEL,
        file="feedback/date=2026-03-01/x",
        line=1,
        text=line,
    )
    bench.quarantine.put([row])

    assert bench.replay()["replayed"] == 1
    assert bench.labels("p-1")[-1] == (1, ASKED_AT)

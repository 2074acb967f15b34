import gzip
import json
from typing import Any

import pytest

from hindsight.core.errors import NotFound
from hindsight.entities.feedback import Feedback
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.labels.joining import feedback_files
from hindsight.labels.joining.feedback_files import FeedbackFiles, is_feedback_file, parse_feedback_line
from hindsight.labels.joining.join import JoinCount, LabelJoiner
from hindsight.quarantine.rejects import Reject, RejectCode
from hindsight.quarantine.store import UNREADABLE, Quarantine
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.predictions.allowances import no_limits
from hindsight.testing.predictions.effects import InMemoryEffects
from hindsight.testing.predictions.label_store import InMemoryLabels
from tests.unit.labels.builders import MODEL, RETENTION, configuration, event, key, prediction

FILE = "feedback/date=2026-03-01/stream-1-2026-03-01-12-00-00"
GOOD = json.loads(feedback_line(event("demand", 150)))


class Bench:
    def __init__(self) -> None:
        self.store, self.lake = InMemoryLabels(), InMemoryLake()
        configurations, quarantine = InMemoryConfigurations(configuration()), Quarantine(self.lake)
        joiner = LabelJoiner(self.store, quarantine, configurations, no_limits(), InMemoryEffects())
        self.files = FeedbackFiles(self.lake, joiner, quarantine, configurations)

    def write(self, *lines: bytes) -> None:
        self.lake.write_bytes(FILE, b"".join(lines), "application/x-ndjson")

    def quarantined(self) -> list[dict[str, Any]]:
        return [row for name in self.lake.keys("quarantine/") for row in self.lake.read_lines(name)]


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(
    "sent", [event("demand", 150), event("thumb", "up"), event("exposed"), event("a", 0.1), event("a", False)]
)
def test_a_captured_line_is_read_as_it_was_written(sent: Feedback) -> None:
    assert parse_feedback_line(feedback_line(sent)) == sent


def test_times_with_another_offset_are_the_same_moment() -> None:
    row = {**GOOD, "occurred_at": "2026-03-01T14:00:00+01:00"}

    assert parse_feedback_line(json.dumps(row).encode()) == event("demand", 150)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not valid JSON"),
        (b"[1]", "expected object, got array"),
        (b'{"name": "\xff\xfe"}', "not well-formed UTF-8"),
        (b'{"value": NaN}', "not valid JSON"),
        (b"[" * 100_000, ""),
        (json.dumps({**GOOD, "model": None}).encode(), "model: expected str, got null"),
        (json.dumps({**GOOD, "model": "a#b"}).encode(), "model: must be 1 to 64 letters"),
        (json.dumps({**GOOD, "prediction_id": "x" * 129}).encode(), "prediction_id: must be 1 to 128"),
        (json.dumps({**GOOD, "feedback_id": "f-1\n"}).encode(), "feedback_id: must be 1 to 128"),
        (json.dumps({name: GOOD[name] for name in GOOD if name != "name"}).encode(), "name: is required"),
        (b'{"deep": ' + b"[" * 100_000, "nested too deeply"),
        (json.dumps({**GOOD, "value": [1]}).encode(), "value: expected bool | int | float | str | null, got array"),
        (json.dumps({**GOOD, "value": 2**60}).encode(), "value: expected int <= 9007199254740992"),
        (json.dumps(GOOD).replace("150", "1e999").encode(), "value: number out of range"),
        (json.dumps({**GOOD, "value": "\ud800abcdef"}).encode(), "not valid JSON: unexpected end of escaped"),
        (json.dumps({**GOOD, "occurred_at": "yesterday"}).encode(), "occurred_at: invalid RFC3339"),
        (
            json.dumps({**GOOD, "received_at": "2026-03-01T12:00:00"}).encode(),
            "received_at: expected datetime with a timezone",
        ),
        (json.dumps({**GOOD, "occurred_at": 5}).encode(), "occurred_at: expected datetime, got int"),
        (json.dumps({**GOOD, "occurred_at": "0001-01-01T00:00:00+10:00"}).encode(), ""),
    ],
)
def test_a_line_that_cannot_be_read_says_why(line: bytes, reason: str) -> None:
    found = parse_feedback_line(line)

    assert isinstance(found, Reject)
    assert found.code is RejectCode.MALFORMED
    assert found.reason.startswith(reason)


def test_a_malformed_line_is_set_aside_and_the_rest_of_the_file_joined(bench: Bench) -> None:
    bench.store.save(prediction(), RETENTION)
    bench.write(feedback_line(event("thumb", "up")), b"{not json}\n", feedback_line(event("demand", 150)))

    report = bench.files.join(FILE)

    assert report.counts[MODEL][JoinCount.JOINED] == 2
    assert report.counts[UNREADABLE][JoinCount.QUARANTINED] == 1
    assert report.quarantined == {UNREADABLE: {RejectCode.MALFORMED: 1}}
    (row,) = bench.quarantined()
    assert (row["code"], row["file"], row["line"], row["text"]) == ("malformed", FILE, 2, "{not json}")
    assert next(iter(bench.lake.keys("quarantine/"))).startswith(
        "quarantine/model=_unreadable/date=2026-03-01/malformed-"
    )


def test_feedback_on_an_unknown_model_is_set_aside(bench: Bench) -> None:
    sent = event("demand", 150, model="unknown")
    bench.write(feedback_line(sent))

    report = bench.files.join(FILE)

    (row,) = bench.quarantined()
    assert (row["code"], row["model"], parse_feedback_line(json.dumps(row["event"]).encode())) == (
        "unknown_model",
        "unknown",
        sent,
    )
    assert report.quarantined == {"unknown": {RejectCode.UNKNOWN_MODEL: 1}}


def test_a_malformed_line_lies_with_the_model_it_names(bench: Bench) -> None:
    bench.write(json.dumps({**GOOD, "value": [1]}).encode() + b"\n", json.dumps({**GOOD, "model": "../x"}).encode())

    bench.files.join(FILE)

    assert [key.split("/")[1] for key in bench.lake.keys("quarantine/")] == ["model=_unreadable", f"model={MODEL}"]


def rejected(**changes: Any) -> bytes:
    row = {
        "model": MODEL,
        "rejected": {"code": "invalid", "reason": "is none of 'down', 'up'", "path": "value"},
        "received_at": "2026-03-02T00:00:00.000000Z",
        "text": '{"feedback_id":"f-1","value":"sideways"}',
    }
    return json.dumps({**row, **changes}).encode() + b"\n"


def test_rejects_of_capture_go_to_quarantine_with_their_reason(bench: Bench) -> None:
    bench.store.save(prediction(), RETENTION)
    bench.write(feedback_line(event("demand", 150)), rejected())

    report = bench.files.join(FILE)

    (row,) = bench.quarantined()
    assert row == {
        "code": "invalid",
        "reason": "is none of 'down', 'up'",
        "path": "value",
        "kind": "feedback",
        "model": MODEL,
        "received_at": "2026-03-02T00:00:00.000000Z",
        "file": FILE,
        "line": 2,
        "text": '{"feedback_id":"f-1","value":"sideways"}',
    }
    assert next(iter(bench.lake.keys("quarantine/"))).startswith(f"quarantine/model={MODEL}/date=2026-03-02/invalid-")
    assert report.counts[MODEL] == {JoinCount.JOINED: 1, JoinCount.LABELS: 1, JoinCount.QUARANTINED: 1}


def test_rejected_predictions_go_to_quarantine_as_such_and_are_no_quarantined_feedback(bench: Bench) -> None:
    conflict = {"code": "conflict", "reason": "was sent before with another body", "path": "prediction_id"}
    bench.write(rejected(kind="prediction"), rejected(kind="prediction", rejected=conflict))

    report = bench.files.join(FILE)

    assert sorted((row["kind"], row["code"], row["line"]) for row in bench.quarantined()) == [
        ("prediction", "conflict", 2),
        ("prediction", "invalid", 1),
    ]
    assert (report.counts, report.quarantined) == ({}, {})


@pytest.mark.parametrize(
    "changes",
    [
        {"rejected": None},
        {"rejected": {"code": "unmatched"}},
        {"rejected": {"code": []}},
        {"kind": "label"},
        {"kind": []},
        {"rejected": ["invalid"]},
        {"text": 5},
        {"received_at": None},
        {"received_at": "yesterday"},
    ],
)
def test_a_reject_that_capture_did_not_write_is_malformed(changes: dict[str, Any]) -> None:
    found = parse_feedback_line(rejected(**changes))

    assert isinstance(found, Reject)
    assert found.code is RejectCode.MALFORMED


def test_a_reject_of_an_impossible_model_is_kept_where_nothing_can_collide(bench: Bench) -> None:
    bench.write(rejected(model="../../models", text='{"model": "other"}'))

    bench.files.join(FILE)

    assert [key.split("/")[1] for key in bench.lake.keys("quarantine/")] == ["model=_unreadable"]


def test_a_file_joined_again_changes_nothing(bench: Bench) -> None:
    bench.store.save(prediction(), RETENTION)
    bench.write(feedback_line(event("demand", 150)), b"nonsense\n")
    bench.files.join(FILE)
    collection, objects = bench.store.load([key()]), dict(bench.lake.objects)

    report = bench.files.join(FILE)

    assert (bench.store.load([key()]), bench.lake.objects) == (collection, objects)
    assert report.counts[MODEL] == {JoinCount.DUPLICATE: 1}


def test_a_large_file_is_read_in_chunks(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback_files, "CHUNK_LINES", 3)
    names = [f"p-{number}" for number in range(10)]
    for name in names:
        bench.store.save(prediction(name), RETENTION)
    bench.write(*(feedback_line(event("demand", 150, prediction_id=name)) for name in names), b"x\n", b"y\n")

    report = bench.files.join(FILE)

    assert report.counts[MODEL][JoinCount.LABELS] == 10
    assert [row["line"] for row in bench.quarantined()] == [11, 12]


def test_missing_file_is_reported(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.files.join(FILE)


def test_only_raw_feedback_is_joined() -> None:
    assert is_feedback_file(FILE)
    assert not is_feedback_file("feedback/errors/date=2026-03-01/x")
    assert not is_feedback_file("labels/x")


def test_gzip_bomb_is_quarantined_and_the_lines_before_it_are_joined(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback_files, "MAX_FILE_BYTES", 5000)
    bench.store.save(prediction(), RETENTION)
    packed = gzip.compress(feedback_line(event("demand", 150)) + b"a" * 10_000_000)
    bench.lake.write_bytes(FILE, packed, "application/x-ndjson")
    report = bench.files.join(FILE)
    (row,) = bench.quarantined()
    assert (report.counts[MODEL][JoinCount.JOINED], row["code"], row["file"]) == (1, "malformed", FILE)
    assert row["reason"].startswith("the file is larger than 5000 bytes")


def test_truncated_gzip_file_is_reported_and_not_retried_for_ever(bench: Bench) -> None:
    bench.lake.write_bytes(FILE, gzip.compress(feedback_line(event("demand", 150)) * 50)[:-20], "application/x-ndjson")
    bench.files.join(FILE)
    assert "is damaged" in bench.quarantined()[-1]["reason"]


def test_endless_line_is_cut_and_reported(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback_files, "MAX_LINE_BYTES", 100)
    bench.write(b"x" * 1000 + b"\n", feedback_line(event("demand", 150))[:50] + b"\n")
    bench.files.join(FILE)
    assert [row["line"] for row in bench.quarantined()] == [1, 2]
    assert "longer than 100 bytes" in bench.quarantined()[0]["reason"]


def test_a_file_full_of_garbage_is_not_kept_line_by_line(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback_files, "MAX_MALFORMED", 10)
    bench.write(*[b"{}\n"] * 1000)
    bench.files.join(FILE)
    rows = bench.quarantined()
    assert len(rows) == 12
    assert rows[-1]["reason"].startswith("more than 10 bad lines")

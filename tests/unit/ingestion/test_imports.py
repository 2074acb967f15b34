"""Files are imported line by line, as if each had come by the API, whatever moment the work is stopped at."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hindsight.core.jobs import JobKind
from hindsight.ingestion import import_files
from hindsight.ingestion.import_files import Upload, imported_file, is_import
from hindsight.quarantine.rejects import RejectCode
from tests.unit.ingestion.importing import FEEDBACK, MODEL, NOW, PREDICTIONS, THEN, Bench, feedback, prediction


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_past_predictions_are_kept_as_received_when_they_were_made(bench: Bench) -> None:
    bench.write(PREDICTIONS, prediction("p-1"), prediction("p-2", received_at="2025-03-01T12:00:05Z"))

    run = bench.run(PREDICTIONS)

    assert not run.is_to_go_on
    kept = sorted(bench.predictions.kept.values(), key=lambda found: found.prediction_id)
    then = datetime(2025, 3, 1, 12, tzinfo=UTC)
    assert [found.received_at - then for found in kept] == [timedelta(0), timedelta(seconds=5)]
    assert {found.occurred_at for found in kept} == {then}
    assert bench.shown() == {
        "job_id": bench.shown()["job_id"],
        "kind": "import",
        "status": "completed",
        "started_at": "2026-03-01T12:00:00.000000Z",
        "finished_at": "2026-03-01T12:00:00.000000Z",
        "progress": {"done": 2, "total": 2},
        "request": {"file": PREDICTIONS, "kind": "prediction"},
        "result": {"accepted": 2, "rejected": 0},
    }


def test_past_feedback_goes_the_way_of_all_feedback(bench: Bench) -> None:
    bench.write(FEEDBACK, feedback("f-1", occurred_at=THEN), feedback("f-2", occurred_at=THEN, received_at=THEN))

    bench.run(FEEDBACK)

    rows = bench.captured()
    assert [row["feedback_id"] for row in rows] == ["f-1", "f-2"]
    assert {row["received_at"] for row in rows} == {"2025-03-01T12:00:00.000000Z"}


def test_a_line_that_cannot_be_taken_is_kept_with_its_number_and_the_others_are_taken(bench: Bench) -> None:
    future = "2026-03-01T12:00:01Z"
    bench.write(
        FEEDBACK,
        feedback("f-1", occurred_at=THEN),
        b"",
        b"{not json}",
        feedback("f-2", occurred_at=future),
        feedback("f-3", received_at=future),
        feedback("f-4", name="colour"),
        feedback("f-5", value=[1]),
    )

    run = bench.run(FEEDBACK)

    rows = sorted(bench.quarantined(), key=lambda row: row["line"])
    assert [(row["line"], row["code"], row.get("path")) for row in rows] == [
        (3, "malformed", None),
        (4, "invalid", "occurred_at"),
        (5, "invalid", "received_at"),
        (6, "invalid", "name"),
        (7, "invalid", "value"),
    ]
    assert {(row["kind"], row["file"], row["model"]) for row in rows} == {("feedback", FEEDBACK, MODEL)}
    assert json.loads(rows[4]["text"]) == feedback("f-5", value=[1])
    assert [row["feedback_id"] for row in bench.captured()] == ["f-1"]
    assert run.rejected == {RejectCode.MALFORMED: 1, RejectCode.INVALID: 4}
    assert bench.shown()["result"] == {"accepted": 1, "rejected": 5}
    assert bench.shown()["progress"] == {"done": 7, "total": 7}


def test_a_prediction_with_another_body_than_before_is_a_conflict(bench: Bench) -> None:
    bench.write(PREDICTIONS, prediction(), prediction(score=0.1), prediction("p-2", score=7))

    bench.run(PREDICTIONS)

    rows = sorted(bench.quarantined(), key=lambda row: row["line"])
    assert [(row["line"], row["code"], row["kind"]) for row in rows] == [
        (2, "conflict", "prediction"),
        (3, "invalid", "prediction"),
    ]
    assert [found.score for found in bench.predictions.kept.values()] == [0.7]


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_files, "CHUNK_LINES", 3)


def test_a_line_that_is_too_long_is_kept_in_part(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_files, "MAX_LINE_BYTES", 200)
    bench.write(FEEDBACK, feedback("f-1"), feedback("f-2", source="x" * 1000), feedback("f-3"))

    bench.run(FEEDBACK)

    (row,) = bench.quarantined()
    assert (row["line"], row["code"], row["truncated"], len(row["text"])) == (2, "malformed", True, 200)
    assert [found["feedback_id"] for found in bench.captured()] == ["f-1", "f-3"]


@pytest.mark.usefixtures("small_chunks")
def test_a_file_that_unzips_to_too_much_ends_with_a_fault(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_files, "MAX_FILE_BYTES", 100_000)
    key = FEEDBACK + ".gz"
    bench.write(key, *(feedback(f"f-{number}") for number in range(4)), b"0" * 10_000_000)

    run = bench.run(key)

    assert not run.is_to_go_on
    assert bench.shown()["status"] == "failed"
    assert bench.shown()["failure"].startswith("the file is larger than 100000 bytes")
    assert bench.shown()["result"] == {"accepted": 4, "rejected": 1}
    (row,) = bench.quarantined()
    assert (row["line"], row["truncated"]) == (0, True)


@pytest.mark.parametrize(
    ("key", "code", "model"),
    [
        ("imports/model=unknown/feedback/a.jsonl", "unknown_model", "unknown"),
        (f"imports/model={MODEL}/labels/a.jsonl", "malformed", MODEL),
        (f"imports/model={MODEL}/feedback/a.csv", "malformed", MODEL),
        ("imports/model=%2e%2e/feedback/a.jsonl", "malformed", None),
        ("imports/a.jsonl", "malformed", None),
    ],
)
def test_failed_import_is_announced_once(bench: Bench, key: str, code: str, model: str | None) -> None:
    bench.write(key, feedback())

    runs = [bench.run(key), bench.run(key)]

    (row,) = bench.quarantined()
    assert (row["code"], row.get("model"), row["file"], row["line"]) == (code, model, key, 0)
    assert runs[0].rejected == {RejectCode(code): 1}
    assert not any(run.is_to_go_on for run in runs)
    assert bench.captured() == []


def test_a_file_that_is_gone_ends_with_a_fault(bench: Bench) -> None:
    bench.run(FEEDBACK)

    assert "does not exist" in bench.shown()["failure"]


def test_an_empty_file_is_done(bench: Bench) -> None:
    bench.write(FEEDBACK)
    bench.run(FEEDBACK)

    assert (bench.shown()["status"], bench.shown()["progress"]["done"]) == ("completed", 0)


def test_key_names_the_files_model_and_kind() -> None:
    found = imported_file(Upload(f"imports/model={MODEL}/feedback/2025/march/part-1.jsonl.gz", "1", NOW))
    assert found is not None
    assert (found.model, found.kind.value) == (MODEL, "feedback")
    for elsewhere in (f"imports/model={MODEL}/feedback/.jsonl", "imports/model=a/b/feedback/x.jsonl"):
        assert imported_file(Upload(elsewhere, "1", NOW)) is None
    assert not is_import(f"imports/model={MODEL}/feedback/")
    assert is_import("imports/readme.txt")


def test_two_uploads_under_one_key_are_distinguished(bench: Bench) -> None:
    bench.write(FEEDBACK, feedback())
    first = Upload(FEEDBACK, "1", NOW)

    for upload in (first, first, replace(first, version="2"), replace(first, at=NOW + timedelta(days=1))):
        bench.imports.run(upload, lambda: True)

    assert len(bench.jobs.newest(MODEL, JobKind.IMPORT, 10)) == 3

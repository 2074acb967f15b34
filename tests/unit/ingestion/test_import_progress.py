"""Imports that stop and go on."""

import pytest

from hindsight.core.errors import Unavailable
from hindsight.core.jobs import JobKind
from hindsight.ingestion import import_files
from hindsight.ingestion.import_files import Upload
from hindsight.ingestion.imports import ImportRun
from tests.unit.ingestion.importing import FEEDBACK, MODEL, NOW, PREDICTIONS, Bench, feedback, prediction


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_same_file_again_changes_nothing(bench: Bench) -> None:
    bench.write(PREDICTIONS, prediction(), prediction(None), prediction(None), prediction(score=7), b"nonsense")
    bench.run(PREDICTIONS)
    kept, rows = dict(bench.predictions.kept), bench.quarantined()
    assert len(kept) == 3

    bench.run(PREDICTIONS)
    bench.run(PREDICTIONS, version="2")

    assert (bench.predictions.kept, bench.quarantined()) == (kept, rows)
    found = bench.jobs.newest(MODEL, JobKind.IMPORT, 10)
    assert [job.counts for job in found] == [{"accepted": 3, "rejected": 2}] * 2


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_files, "CHUNK_LINES", 3)


@pytest.mark.usefixtures("small_chunks")
def test_out_of_time_the_next_run_goes_on_where_it_stopped(bench: Bench) -> None:
    bench.write(FEEDBACK, *(feedback(f"f-{number}") for number in range(10)), b"nonsense")

    runs = 1
    while bench.run(FEEDBACK, times=0).is_to_go_on:
        runs += 1

    assert runs == 4
    assert [row["feedback_id"] for row in bench.captured()] == [f"f-{number}" for number in range(10)]
    assert bench.shown()["result"]["accepted"] == 10
    assert [row["line"] for row in bench.quarantined()] == [11]


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("crash", range(4))
def test_interruption_at_any_point_counts_everything_once(bench: Bench, crash: int) -> None:
    bench.write(FEEDBACK, *(feedback(f"f-{number}") for number in range(10)), b"nonsense")
    bench.stream.left = crash
    with pytest.raises(Unavailable):
        bench.run(FEEDBACK)
    bench.stream.left = None

    assert not bench.run(FEEDBACK).is_to_go_on

    assert {row["feedback_id"] for row in bench.captured()} == {f"f-{number}" for number in range(10)}
    assert bench.shown()["result"] == {"accepted": 10, "rejected": 1}


@pytest.mark.usefixtures("small_chunks")
def test_of_two_workers_on_one_file_the_slower_one_stops(bench: Bench) -> None:
    bench.write(FEEDBACK, *(feedback(f"f-{number}") for number in range(10)))
    runs: list[ImportRun] = []

    def meanwhile() -> bool:
        if not runs:
            runs.append(bench.run(FEEDBACK))
        return True

    slower = bench.imports.run(Upload(FEEDBACK, "1", NOW), meanwhile)

    assert slower.job is None
    assert not slower.is_to_go_on
    assert runs[0].job is not None
    assert (bench.shown()["status"], bench.shown()["result"]["accepted"]) == ("completed", 10)

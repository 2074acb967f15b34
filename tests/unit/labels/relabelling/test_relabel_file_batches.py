"""The files of a relabelling: counts, batches, packs and memory."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.labels.joining.join import JoinReport, LabelJoiner
from hindsight.labels.relabelling import counting
from hindsight.labels.relabelling import files as relabel_files
from hindsight.labels.relabelling.counting import CountingProgress
from hindsight.labels.relabelling.files import RelabelBatch
from hindsight.labels.relabelling.job import Counts
from hindsight.lake.object_store import PREDICTIONS
from hindsight.lake.packer import Packer
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.jobs.relabels import InMemoryRelabels
from tests.unit.labels.builders import MODEL, at, event
from tests.unit.labels.relabelling.relabelled_files import FILE, ROWS, WORKERS, Bench


def test_files_of_other_days_are_neither_counted_nor_read(bench: Bench) -> None:
    bench.jobs = InMemoryRelabels()
    bench.jobs.begin(replace(bench.job, first_day=date(2026, 3, 2), last_day=date(2026, 3, 2)), None)
    bench.files = replace(bench.files, store=bench.jobs)
    assert bench.counted() == CountingProgress(files=1, feedback_files=1, feedback=1).divided(WORKERS)
    assert bench.relabel(FILE, ROWS) == ()
    assert bench.counts == Counts(files=1, events=2, labels=1)


def test_files_are_counted_in_both_folders(bench: Bench) -> None:
    assert bench.counted() == CountingProgress(files=2, feedback_files=1, feedback=1, predictions=1).divided(WORKERS)
    assert bench.jobs.job(MODEL, "relabel-1").files_total == 2


def test_count_goes_on_where_its_time_ran_out(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "KEYS_A_LOOK", 2)
    for number in range(3):
        bench.write(file=f"{FILE}-{number}")
        bench.lake.write_lines(f"{ROWS}-{number}", [{"prediction_id": "high"}])
    counted, runs = bench.counted(has_time=lambda: False), 1
    while not counted.is_done:
        assert bench.jobs.job(MODEL, "relabel-1").files_total is None
        counted, runs = bench.counted(counted, has_time=lambda: False), runs + 1

    assert counted == CountingProgress(files=8, feedback_files=4, feedback=4, predictions=4).divided(WORKERS)
    assert runs == 5
    assert bench.jobs.job(MODEL, "relabel-1").files_total == 8


def test_small_files_share_a_join_and_a_step(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    joins, steps = [], []
    relabel, advance = LabelJoiner.relabel, InMemoryRelabels.advance
    monkeypatch.setattr(LabelJoiner, "relabel", lambda *call: joins.append(1) or relabel(*call))
    monkeypatch.setattr(InMemoryRelabels, "advance", lambda *call: steps.append(1) or advance(*call))
    files = [f"{FILE}-{number}" for number in range(100)]
    for number, file in enumerate(files):
        bench.write(event("demand", 75, prediction_id="middle", feedback_id=f"e-{number}"), file=file)

    assert bench.relabel(*files, files[0]) == ()

    assert bench.counts == Counts(files=100, events=100, recovered=100, labels=1)
    assert len(joins) == len(steps) == 3


def test_file_at_fault_among_many_holds_up_none_of_them(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    relabel = LabelJoiner.relabel
    bad = event("demand", 75, prediction_id="high", feedback_id="bad")

    def refusing(joiner: LabelJoiner, events: Any, moment: Any) -> JoinReport:
        if any(bad in found for found in events.values()):
            raise ValueError("an unexpected value")
        return relabel(joiner, events, moment)

    monkeypatch.setattr(LabelJoiner, "relabel", refusing)
    bench.write(bad, file=f"{FILE}-bad")

    assert bench.relabel(FILE, f"{FILE}-bad", ROWS) == ()

    noted = bench.jobs.job(MODEL, "relabel-1")
    assert (noted.failures, noted.counts.files, noted.counts.labels) == (1, 2, 2)
    assert noted.failure == f"{FILE}-bad: ValueError: an unexpected value"
    assert not bench.jobs.positions(bench.job, [f"{FILE}-bad"])[f"{FILE}-bad"].is_done


def test_a_file_is_never_held_whole(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relabel_files, "CHUNK_LINES", 10)
    read, at_most = 0, 0

    def lines(_: InMemoryLake, __: str) -> Iterator[bytes]:
        nonlocal read
        for number in range(100):
            read += 1
            yield feedback_line(event("demand", 75, prediction_id="middle", feedback_id=f"e-{number}"))

    relabel = LabelJoiner.relabel

    def measured(joiner: LabelJoiner, events: Any, moment: Any) -> JoinReport:
        nonlocal at_most, read
        at_most, read = max(at_most, read), 0
        return relabel(joiner, events, moment)

    monkeypatch.setattr(InMemoryLake, "read_raw_lines", lines)
    monkeypatch.setattr(LabelJoiner, "relabel", measured)
    bench.relabel(FILE)
    assert (at_most, bench.counts.events) == (10, 100)


@pytest.mark.parametrize("times", [1, 2])
def test_rows_that_were_packed_after_the_listing_are_relabelled_once(bench: Bench, times: int) -> None:
    for sweep in range(times):
        for number, name in enumerate(("other", "another")):
            bench.lake.write_lines(ROWS.replace("part-1", f"part-{sweep}-{number}"), [{"prediction_id": name}])
        Packer(bench.lake).sweep(MODEL, at(20), lambda: True)
    assert ROWS not in bench.lake.objects

    assert bench.relabel(FILE, ROWS) == ()
    assert [bench.values(name)[-1] for name in bench.names] == [1, 1, 1]
    assert bench.counts.predictions == 3 + 2 * times
    once = {name: bench.values(name) for name in bench.names}, bench.counts
    assert bench.counts.files == 2
    # Packs that are listed too are counted, and nothing else, however often they are listed.
    packs = list(bench.lake.keys(f"{PREDICTIONS}/"))
    for _ in range(2):
        bench.relabel(*packs, ROWS)
        values, counts = {name: bench.values(name) for name in bench.names}, bench.counts
        assert (values, replace(counts, files=2)) == once
        assert counts.files == 2 + len(packs)


def test_never_more_files_are_done_than_were_counted_though_some_are_packed_meanwhile(bench: Bench) -> None:
    parts = [ROWS.replace("part-1", f"part-{number}") for number in range(2, 6)]
    for part in parts:
        bench.lake.write_lines(part, [{"prediction_id": "other"}])
    total = bench.counted().files
    listed = [FILE, *bench.lake.keys(f"{PREDICTIONS}/")]
    assert total == len(listed)

    done = list[int]()
    for part in listed:
        if part == parts[0]:
            Packer(bench.lake).sweep(MODEL, at(20), lambda: True)
        assert bench.relabel(part) == ()
        done.append(bench.counts.files)

    assert done == list(range(1, total + 1))


def test_listed_pack_that_is_read_in_place_of_a_listed_file_counts_once(bench: Bench) -> None:
    other = ROWS.replace("part-1", "part-2")
    bench.lake.write_lines(other, [{"prediction_id": "other"}])
    Packer(bench.lake).sweep(MODEL, at(20), lambda: True)
    [pack] = bench.lake.keys(f"{PREDICTIONS}/")
    # The file's place in the listing was taken just before it was packed, the pack's just after.
    for listed in (ROWS, pack, pack, ROWS):
        assert bench.relabel(listed) == ()
    assert bench.counts.files == 2
    assert bench.counts.predictions == 4


@pytest.mark.usefixtures("short_chunks")
def test_of_many_large_files_one_is_open_at_a_time(bench: Bench) -> None:
    class Watched(InMemoryLake):
        """Knows how many of its objects are being read at the moment of a join."""

        open = 0

        def read_raw_lines(self, key: str) -> Iterator[bytes]:
            Watched.open += 1
            try:
                yield from super().read_raw_lines(key)
            finally:
                Watched.open -= 1

    watched, seen = Watched(), list[int]()
    watched.objects = bench.lake.objects
    files = replace(bench.files, lake=watched)
    large = [f"{FILE}-{number}" for number in range(5)]
    for number, name in enumerate(large):
        bench.write(
            *(event("demand", 75, prediction_id="middle", feedback_id=f"{number}-{n}") for n in range(7)), file=name
        )

    def has_time() -> bool:
        seen.append(Watched.open)
        return True

    assert files.relabel(RelabelBatch(MODEL, "relabel-1", 1, tuple(large)), has_time) == ()
    assert max(seen) == 1
    assert bench.counts == Counts(files=5, events=35, recovered=35, labels=1)

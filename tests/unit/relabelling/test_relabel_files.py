from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from hindsight.core.errors import Unavailable
from hindsight.entities.feedback import Feedback
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.labels.history import label_at
from hindsight.labels.joining import feedback_files
from hindsight.labels.joining.join import JoinReport, LabelJoiner
from hindsight.labels.relabelling import counting
from hindsight.labels.relabelling import files as relabel_files
from hindsight.labels.relabelling.counting import Counting, FileCount
from hindsight.labels.relabelling.files import RelabelBatch, RelabelFiles
from hindsight.labels.relabelling.job import Counts, RelabelJob
from hindsight.lake.object_store import PREDICTIONS, day_prefix
from hindsight.lake.packer import Packer
from hindsight.quarantine.store import Quarantine
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.jobs.relabels import InMemoryRelabels
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.predictions.allowances import no_limits
from hindsight.testing.predictions.label_store import InMemoryLabels
from tests.unit.labels.builders import DEMAND, MODEL, NOON, RETENTION, at, configuration, event, key, prediction

FILE = "feedback/date=2026-03-02/part-1"
ROWS = f"{day_prefix(PREDICTIONS, MODEL, date(2026, 3, 1))}part-1.jsonl.gz"
ZERO = {"value": 0, "after": "P3D"}
ONE = {"value": 1, "after": "P3D"}
MENDED = {**DEMAND, "positive": {"greater_than": 50}}
MOMENT = at(240)
WORKERS = 2


class Bench:
    """Three predictions labelled by a threshold of 100 and a default of 0, now 50 and 1; the files are still there."""

    def __init__(self) -> None:
        self.store, self.lake, self.jobs = InMemoryLabels(), InMemoryLake(), InMemoryRelabels()
        self.configurations = InMemoryConfigurations(configuration(DEMAND, default=ZERO))
        self.joiner = LabelJoiner(self.store, Quarantine(self.lake), self.configurations, no_limits())
        self.files = RelabelFiles(self.lake, self.joiner, self.jobs, self.configurations)
        self.names = ("middle", "high", "silent")
        for name in self.names:
            self.store.save(prediction(name), RETENTION, due_at=at(48))
        self.events = [event("demand", value, prediction_id=name) for name, value in (("middle", 75), ("high", 150))]
        self.joiner.join(self.events)
        self.joiner.close_windows([key(name) for name in self.names], at(100))
        self.write(*self.events)
        self.lake.write_lines(ROWS, [{"prediction_id": name} for name in self.names])
        self.configurations.put(configuration(MENDED, default=ONE), at(200))
        self.job = RelabelJob(
            model=MODEL,
            relabel_id="relabel-1",
            reason="mended",
            rules_revision=2,
            known_at=MOMENT,
            started_at=MOMENT,
        )
        self.jobs.begin(self.job, None)

    def write(self, *events: Feedback | bytes, file: str = FILE) -> None:
        lines = (line if isinstance(line, bytes) else feedback_line(line) for line in events)
        self.lake.write_bytes(file, b"".join(lines), "application/x-ndjson")

    def relabel(self, *keys: str, attempt: int = 1, has_time: Callable[[], bool] = lambda: True) -> tuple[str, ...]:
        return self.files.relabel(RelabelBatch(MODEL, "relabel-1", attempt, keys), has_time)

    def counted(self, so_far: Counting | None = None, has_time: Callable[[], bool] = lambda: True) -> Counting:
        return FileCount(self.lake, self.jobs, WORKERS).count(MODEL, "relabel-1", so_far or Counting(), has_time)

    def values(self, name: str) -> list[object]:
        return [record.label.value for record in self.store.load([key(name)])[0].labels]

    @property
    def counts(self) -> Counts:
        return self.jobs.job(MODEL, "relabel-1").counts


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert relabel_files.CHUNK_LINES == feedback_files.CHUNK_LINES
    monkeypatch.setattr(relabel_files, "CHUNK_LINES", 2)


def turns(count: int) -> Callable[[], bool]:
    """There is time for so many chunks."""
    left = iter([True] * count)
    return lambda: next(left, False)


def test_feedback_and_silence_are_told_anew_and_the_past_stays(bench: Bench) -> None:
    before = {name: bench.store.load([key(name)])[0].labels for name in bench.names}

    assert bench.relabel(FILE, ROWS) == ()

    assert [bench.values(name)[-1] for name in bench.names] == [1, 1, 1]
    assert bench.counts == Counts(files=2, predictions=3, events=2, recovered=0, labels=2)
    for name in bench.names:
        after = bench.store.load([key(name)])[0].labels
        assert after[: len(before[name])] == before[name]
        assert all((record.known_at, record.rules_revision) == (MOMENT, 2) for record in after[len(before[name]) :])
        for hours in range(0, 240, 12):
            assert label_at(after, at(hours)) == label_at(before[name], at(hours))


def test_what_is_done_is_done_once(bench: Bench) -> None:
    bench.relabel(FILE, ROWS)
    once = {name: bench.values(name) for name in bench.names}, bench.counts
    bench.relabel(ROWS, FILE)
    assert ({name: bench.values(name) for name in bench.names}, bench.counts) == once


def test_an_event_the_table_never_had_is_recovered(bench: Bench) -> None:
    lost = event("demand", 60, prediction_id="silent")
    bench.write(*bench.events, lost)
    bench.relabel(FILE)
    assert bench.counts.recovered == 1
    assert lost in bench.store.load([key("silent")])[0].feedback


def test_other_models_broken_lines_and_unknown_predictions_are_passed_over(bench: Bench) -> None:
    stranger = event("demand", 75, prediction_id="middle", model="other")
    nowhere = event("demand", 75, prediction_id="nowhere")
    bench.write(b"{nonsense\n", stranger, nowhere, bench.events[0])
    assert bench.relabel(FILE) == ()
    assert bench.counts == Counts(files=1, events=2, labels=1)
    assert bench.store.load([key("nowhere")])[0].head is None
    assert not list(bench.lake.keys("quarantine/"))


@pytest.mark.usefixtures("short_chunks")
def test_out_of_time_a_file_goes_on_from_where_it_was(bench: Bench) -> None:
    more = [event("demand", 75, prediction_id="middle", feedback_id=f"more-{number}") for number in range(3)]
    bench.write(*bench.events, *more)

    assert bench.relabel(FILE, ROWS, has_time=turns(1)) == (FILE, ROWS)
    assert bench.jobs.positions(bench.job, [FILE])[FILE].line == 2
    assert bench.relabel(FILE, ROWS, has_time=turns(2)) == (FILE, ROWS)
    assert bench.relabel(FILE, ROWS) == ()

    assert bench.counts == Counts(files=2, predictions=3, events=5, recovered=3, labels=2)


@pytest.mark.usefixtures("short_chunks")
@pytest.mark.parametrize("lines", range(6))
def test_every_line_of_every_length_of_file_is_read_once(bench: Bench, lines: int) -> None:
    bench.write(*(event("demand", 75, prediction_id="middle", feedback_id=f"e-{number}") for number in range(lines)))
    assert bench.relabel(FILE) == ()
    assert (bench.counts.files, bench.counts.events) == (1, lines)


@pytest.mark.usefixtures("short_chunks")
def test_of_two_workers_with_one_file_each_line_is_counted_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write(*bench.events, *(event("demand", 75, prediction_id="high", feedback_id=f"e-{n}") for n in range(3)))
    relabel = LabelJoiner.relabel

    def overtaken(joiner: LabelJoiner, *arguments: Any) -> JoinReport:
        """While one worker is at its first lines, another does the whole file."""
        monkeypatch.setattr(LabelJoiner, "relabel", relabel)
        bench.relabel(FILE)
        return relabel(joiner, *arguments)

    monkeypatch.setattr(LabelJoiner, "relabel", overtaken)
    assert bench.relabel(FILE) == ()
    assert bench.counts == Counts(files=1, events=5, recovered=3, labels=1)


def test_a_file_that_cannot_be_read_is_noted_and_holds_up_none(bench: Bench) -> None:
    damaged = f"{ROWS}-damaged"
    bench.lake.write_bytes(damaged, b"{nonsense\n", "application/x-ndjson")
    assert bench.relabel(damaged, FILE) == ()
    noted = bench.jobs.job(MODEL, "relabel-1")
    assert (noted.failures, noted.counts.files) == (1, 1)
    assert noted.failure is not None
    assert noted.failure.startswith(f"{damaged}: JSONDecodeError")
    assert "nonsense" not in noted.failure


def test_a_busy_table_is_no_failure_of_the_file(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise Unavailable("busy")

    with monkeypatch.context() as patched:
        patched.setattr(bench.store, "commit", busy)
        with pytest.raises(Unavailable):
            bench.relabel(FILE)
    assert bench.jobs.job(MODEL, "relabel-1").failures == 0
    assert bench.relabel(FILE) == ()
    assert bench.values("middle") == [0, 1]


def test_rules_that_change_within_a_batch_end_it(bench: Bench) -> None:
    class Changing(InMemoryLake):
        """Whoever reads the first file finds other rules afterwards."""

        def read_raw_lines(self, key: str) -> Iterator[bytes]:
            yield from super().read_raw_lines(key)
            bench.configurations.put(configuration(DEMAND, default=ZERO), at(300))

    changing = Changing()
    changing.objects = bench.lake.objects
    files = replace(bench.files, lake=changing)
    assert files.relabel(RelabelBatch(MODEL, "relabel-1", 1, (ROWS, FILE)), lambda: True) == ()
    assert bench.counts.files <= 1
    assert bench.counts.events == 0


def test_a_file_that_was_deleted_meanwhile_is_done(bench: Bench) -> None:
    assert bench.relabel("feedback/date=2026-03-02/gone") == ()
    assert bench.counts == Counts(files=1)


def test_a_file_that_an_erasure_rewrote_meanwhile_is_read_as_what_is_left(bench: Bench) -> None:
    bench.lake.objects[f"{FILE}.erased"] = bench.lake.objects.pop(FILE)
    assert bench.relabel(FILE) == ()
    assert (bench.counts.files, bench.counts.events) == (1, 2)


def test_files_of_other_days_are_neither_counted_nor_read(bench: Bench) -> None:
    bench.jobs = InMemoryRelabels()
    bench.jobs.begin(replace(bench.job, first_day=date(2026, 3, 2), last_day=date(2026, 3, 2)), None)
    bench.files = replace(bench.files, store=bench.jobs)
    assert bench.counted() == Counting(files=1, feedback_files=1, feedback=1).divided(WORKERS)
    assert bench.relabel(FILE, ROWS) == ()
    assert bench.counts == Counts(files=1, events=2, labels=1)


def test_files_are_counted_in_both_folders(bench: Bench) -> None:
    assert bench.counted() == Counting(files=2, feedback_files=1, feedback=1, predictions=1).divided(WORKERS)
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

    assert counted == Counting(files=8, feedback_files=4, feedback=4, predictions=4).divided(WORKERS)
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
            raise ValueError("a value that nobody thought of")
        return relabel(joiner, events, moment)

    monkeypatch.setattr(LabelJoiner, "relabel", refusing)
    bench.write(bad, file=f"{FILE}-bad")

    assert bench.relabel(FILE, f"{FILE}-bad", ROWS) == ()

    noted = bench.jobs.job(MODEL, "relabel-1")
    assert (noted.failures, noted.counts.files, noted.counts.labels) == (1, 2, 2)
    assert noted.failure == f"{FILE}-bad: ValueError: a value that nobody thought of"
    assert not bench.jobs.positions(bench.job, [f"{FILE}-bad"])[f"{FILE}-bad"].is_done


def test_an_attempt_that_was_replaced_does_nothing(bench: Bench) -> None:
    bench.jobs.begin(replace(bench.job, attempt=2), bench.job)
    assert bench.relabel(FILE, attempt=1) == ()
    assert bench.counts == Counts()
    assert bench.relabel(FILE, attempt=2) == ()
    assert bench.counts.files == 1


def test_under_other_rules_nothing_is_done_and_other_changes_do_not_matter(bench: Bench) -> None:
    current = bench.configurations.current(MODEL).configuration
    bench.configurations.put(current.model_copy(update={"retention": timedelta(days=30)}), NOON)
    bench.relabel(FILE)
    assert bench.counts.files == 1
    bench.configurations.put(configuration(DEMAND), NOON)
    bench.relabel(ROWS)
    assert bench.counts.files == 1


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

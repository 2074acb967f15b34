"""The files of a relabelling: counts, batches, packs and memory."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hindsight.core.errors import Unavailable
from hindsight.labels.history import label_at
from hindsight.labels.joining.join import JoinReport, LabelJoiner
from hindsight.labels.relabelling.files import RelabelBatch
from hindsight.labels.relabelling.job import Counts
from hindsight.testing.aws.lake import InMemoryLake
from tests.unit.labels.builders import DEMAND, MODEL, NOON, at, configuration, event, key
from tests.unit.labels.relabelling.relabelled_files import FILE, MOMENT, ROWS, ZERO, Bench


def turns(count: int) -> Callable[[], bool]:
    """There is time for so many chunks."""
    left = iter([True] * count)
    return lambda: next(left, False)


def test_feedback_and_silence_are_relabelled_and_past_records_stay(bench: Bench) -> None:
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


def test_finished_file_is_not_relabelled_again(bench: Bench) -> None:
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
    foreign = event("demand", 75, prediction_id="middle", model="other")
    nowhere = event("demand", 75, prediction_id="nowhere")
    bench.write(b"{nonsense\n", foreign, nowhere, bench.events[0])
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
        """A lake that changes the rules once the first file is read."""

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


def test_file_rewritten_by_an_erasure_is_read_from_its_remaining_lines(bench: Bench) -> None:
    bench.lake.objects[f"{FILE}.erased"] = bench.lake.objects.pop(FILE)
    assert bench.relabel(FILE) == ()
    assert (bench.counts.files, bench.counts.events) == (1, 2)


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

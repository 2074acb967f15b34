"""One suite judges the fake and the adapter."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from hindsight.adapters.jobs_table.relabel_table import DynamoRelabels
from hindsight.core.errors import NotFound
from hindsight.core.jobs import JobStatus
from hindsight.labels.relabelling.job import Counts, RelabelJob
from hindsight.labels.relabelling.store import MAX_STEPS, FilePosition, FileStep, RelabelEnd, RelabelStore
from hindsight.testing.jobs.relabels import InMemoryRelabels

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
FILE = "feedback/date=2026-03-01/part-1.gz"
BEGINNING = FilePosition()
COMPLETED = RelabelEnd(JobStatus.COMPLETED, LATER)
FAILED = RelabelEnd(JobStatus.FAILED, LATER, "a file could not be read")


@pytest.fixture(params=["in_memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Iterator[RelabelStore]:
    if request.param == "in_memory":
        yield InMemoryRelabels()
    else:
        yield DynamoRelabels("models", request.getfixturevalue("dynamodb"))


def job(number: int = 1, **changes: Any) -> RelabelJob:
    fields: dict[str, Any] = {
        "model": "bike",
        "job_id": f"relabelling-2026030{number}T120000Z-abc",
        "reason": "the threshold was wrong",
        "rules_revision": 2,
        "known_at": NOW,
        "started_at": NOW,
        "actor": "key:operator",
        "first_day": date(2026, 2, 1),
    }
    return RelabelJob(**{**fields, **changes})


def begun(store: RelabelStore, number: int = 1) -> RelabelJob:
    assert store.begin(job(number), None)
    return job(number)


def stored(store: RelabelStore, number: int = 1) -> RelabelJob:
    return store.job("bike", job(number).job_id)


def position(store: RelabelStore, of: RelabelJob, file: str = FILE) -> FilePosition:
    return store.positions(of, [file])[file]


def advanced(store: RelabelStore, before: FilePosition, after: FilePosition, counts: Counts, file: str = FILE) -> bool:
    return store.advance(job(), [FileStep(file, before, after)], counts)


def ended(store: RelabelStore, end: RelabelEnd, attempt: int = 1, number: int = 1) -> bool:
    return store.conclude("bike", job(number).job_id, attempt, end)


def test_followed_file_is_counted_once_when_it_is_listed(store: RelabelStore) -> None:
    followed, counted = FilePosition(3, True, is_followed=True), FilePosition(3, True)
    begun(store)
    assert advanced(store, FilePosition(), followed, Counts(events=3))
    assert position(store, job()) == followed
    assert advanced(store, followed, counted, Counts(files=1))
    assert not advanced(store, followed, counted, Counts(files=1))
    assert position(store, job()) == counted
    assert stored(store).counts == Counts(files=1, events=3)


def test_a_relabelling_comes_back_as_it_was_begun(store: RelabelStore) -> None:
    assert store.open_job("bike") is None
    begun(store)
    assert store.open_job("bike") == stored(store) == job()


def test_of_one_model_one_is_open(store: RelabelStore) -> None:
    begun(store)
    assert not store.begin(job(2), None)
    assert store.begin(job(model="boat"), None)
    assert [found.job_id for found in store.newest("bike", 10)] == [job().job_id]


def test_a_concluded_one_makes_way(store: RelabelStore) -> None:
    begun(store)
    assert ended(store, COMPLETED)
    assert store.open_job("bike") is None
    assert stored(store) == replace(job(), status=JobStatus.COMPLETED, finished_at=LATER)
    begun(store, 2)
    assert [found.job_id for found in store.newest("bike", 10)] == [job(2).job_id, job(1).job_id]
    assert store.newest("bike", 1) == [job(2)]
    assert store.newest("bike", 5, before=job(2).job_id) == [stored(store)]


def test_a_conclusion_is_recorded_once_and_only_of_the_open_attempt(store: RelabelStore) -> None:
    begun(store)
    assert not ended(store, COMPLETED, attempt=2)
    assert ended(store, FAILED)
    assert not ended(store, COMPLETED)
    assert (stored(store).status, stored(store).failure) == (JobStatus.FAILED, FAILED.failure)


def test_a_failed_one_is_resumed_with_its_counts(store: RelabelStore) -> None:
    begun(store)
    store.note_failure(job(), "one")
    advanced(store, BEGINNING, FilePosition(10, True), Counts(files=1, events=10, labels=4))
    ended(store, FAILED)
    again = replace(job(), attempt=2)

    assert store.begin(again, None)

    assert stored(store) == replace(again, counts=Counts(files=1, events=10, labels=4))
    assert store.open_job("bike") == again
    assert position(store, again) == FilePosition(10, True)
    assert not ended(store, COMPLETED, attempt=1)
    assert ended(store, COMPLETED, attempt=2)


def test_a_dead_attempt_is_taken_over_by_the_next(store: RelabelStore) -> None:
    begun(store)
    again = replace(job(), attempt=2)
    assert not store.begin(again, None)
    assert store.begin(again, job())
    assert not store.begin(replace(job(), attempt=2), job())
    assert stored(store) == again


def test_a_dead_relabelling_is_stopped_by_the_one_that_takes_over(store: RelabelStore) -> None:
    begun(store)
    after = job(2, started_at=LATER)
    assert store.begin(after, job())
    assert store.open_job("bike") == after
    assert stored(store) == replace(job(), status=JobStatus.STOPPED, finished_at=LATER)
    assert not store.begin(job(3), job())


@pytest.mark.parametrize("end", [COMPLETED, RelabelEnd(JobStatus.SUPERSEDED, LATER)])
def test_complete_or_superseded_relabelling_is_not_resumed(store: RelabelStore, end: RelabelEnd) -> None:
    begun(store)
    ended(store, end)
    assert not store.begin(replace(job(), attempt=2), None)
    assert store.open_job("bike") is None


def test_failures_are_counted_of_the_open_attempt(store: RelabelStore) -> None:
    begun(store)
    store.note_failure(job(), "one")
    store.note_failure(job(), "two")
    assert (stored(store).failures, stored(store).failure) == (2, "two")
    ended(store, FAILED)
    store.begin(replace(job(), attempt=2), None)
    store.note_failure(job(), "of the attempt before")
    assert (stored(store).failures, stored(store).failure) == (0, None)


def test_the_number_of_files_is_the_open_attempt_s(store: RelabelStore) -> None:
    begun(store)
    store.note_files(job(), 7)
    ended(store, FAILED)
    store.begin(replace(job(), attempt=2), None)
    store.note_files(job(), 8)
    assert stored(store).files_total == 7


def test_a_file_read_twice_is_counted_once(store: RelabelStore) -> None:
    begun(store)
    counts = Counts(events=2000, recovered=1, labels=50)
    halfway, end = FilePosition(2000), FilePosition(2500, True)

    assert position(store, job()) == BEGINNING
    assert advanced(store, BEGINNING, halfway, counts)
    assert not advanced(store, BEGINNING, halfway, counts)
    assert position(store, job()) == halfway
    assert advanced(store, halfway, end, Counts(files=1, events=500))
    assert not advanced(store, halfway, end, Counts(files=1, events=500))
    assert not advanced(store, BEGINNING, end, counts)
    assert position(store, job()) == end
    assert stored(store).counts == Counts(files=1, events=2500, recovered=1, labels=50)


def test_an_empty_file_is_done_at_once(store: RelabelStore) -> None:
    begun(store)
    done = FilePosition(0, True)
    assert advanced(store, BEGINNING, done, Counts(files=1))
    assert not advanced(store, BEGINNING, done, Counts(files=1))
    assert position(store, job()) == done


def test_files_that_move_on_together_do_all_of_it_or_nothing(store: RelabelStore) -> None:
    begun(store)
    files = [f"feedback/date=2026-03-01/part-{number}.gz" for number in range(MAX_STEPS)]
    steps = [FileStep(file, BEGINNING, FilePosition(3, True)) for file in files]
    assert advanced(store, BEGINNING, FilePosition(1), Counts(events=1), file=files[7])

    assert not store.advance(job(), steps, Counts(files=MAX_STEPS, events=3 * MAX_STEPS))
    assert {found.is_done for found in store.positions(job(), files).values()} == {False}
    others = [step for step in steps if step.file != files[7]]
    assert store.advance(job(), others, Counts(files=MAX_STEPS - 1, events=3 * (MAX_STEPS - 1)))

    assert sum(found.is_done for found in store.positions(job(), files).values()) == MAX_STEPS - 1
    assert stored(store).counts == Counts(files=MAX_STEPS - 1, events=3 * (MAX_STEPS - 1) + 1)
    assert store.newest("bike", 1) == [stored(store)]
    assert store.state("bike", job().job_id).counts == Counts()


def test_each_relabelling_reads_a_file_for_itself(store: RelabelStore) -> None:
    begun(store)
    advanced(store, BEGINNING, FilePosition(1, True), Counts(files=1))
    ended(store, COMPLETED)
    begun(store, 2)
    assert position(store, job(2)) == BEGINNING


def test_missing_relabelling_is_not_found(store: RelabelStore) -> None:
    with pytest.raises(NotFound):
        store.job("bike", "relabelling-none")

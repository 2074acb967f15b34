"""One suite judges the fake and the adapter."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hindsight.adapters.jobs_table.job_table import DynamoJobs
from hindsight.core.jobs import Job, JobKind, JobStatus, JobStore, name_job
from hindsight.testing.jobs.job_store import InMemoryJobs

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOB = Job(
    kind=JobKind.IMPORT,
    model="bike",
    job_id=name_job(JobKind.IMPORT, AT, "a.jsonl"),
    at=AT,
    started_at=AT,
    actor="key:operator",
    request={"file": "a.jsonl", "of": None},
    checkpoint={"line": 0},
)


@pytest.fixture(params=["in_memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> JobStore:
    if request.param == "in_memory":
        return InMemoryJobs()
    return DynamoJobs("models", request.getfixturevalue("dynamodb"))


def load(store: JobStore, job: Job = JOB) -> Job | None:
    return store.load(job.model, job.job_id)


def test_before_it_starts_there_is_no_job(store: JobStore) -> None:
    assert load(store) is None
    assert not store.save(JOB.advanced({"line": 1}))


def test_a_job_comes_back_as_it_was(store: JobStore) -> None:
    assert store.start(JOB) == JOB
    assert load(store) == JOB


def test_a_job_that_is_started_again_goes_on(store: JobStore) -> None:
    further = store.start(JOB).advanced({"line": 500}, {"lines": 500})
    assert store.save(further)

    assert store.start(JOB) == further


def test_of_two_workers_at_one_place_one_is_counted(store: JobStore) -> None:
    store.start(JOB)

    assert store.save(JOB.advanced({"line": 500}, {"accepted": 499, "rejected": 1}))
    assert not store.save(JOB.advanced({"line": 500}, {"accepted": 500}))

    found = load(store)
    assert found is not None
    assert (found.checkpoint, found.counts) == ({"line": 500}, {"accepted": 499, "rejected": 1})


def test_a_job_ends_once(store: JobStore) -> None:
    store.start(JOB)

    assert store.save(JOB.completed(AT + timedelta(hours=1), {"line": 9}))
    assert not store.save(JOB.failed(AT, "it was slower"))

    found = load(store)
    assert found is not None
    assert (found.is_over, found.status, found.failure) == (True, JobStatus.COMPLETED, None)
    assert (found.finished_at, found.checkpoint) == (AT + timedelta(hours=1), {"line": 9})


def test_a_job_that_fails_says_why(store: JobStore) -> None:
    store.start(JOB)

    assert store.save(JOB.failed(AT, "the file is gone", {"rejected": 1}))

    found = load(store)
    assert found is not None
    assert (found.status, found.failure, found.counts) == (JobStatus.FAILED, "the file is gone", {"rejected": 1})


def test_jobs_are_listed_newest_first_by_model_and_kind(store: JobStore) -> None:
    moments = [AT + timedelta(days=day) for day in range(3)]
    jobs = [store.start(replace(JOB, job_id=name_job(JobKind.IMPORT, moment, "x"))) for moment in moments]
    store.start(replace(JOB, model="car"))
    store.start(replace(JOB, kind=JobKind.REPLAY, job_id=name_job(JobKind.REPLAY, AT, "x")))

    assert store.newest("bike", JobKind.IMPORT, 2) == [jobs[2], jobs[1]]
    assert store.newest("bike", JobKind.IMPORT, 100) == jobs[::-1]
    assert store.newest("bike", JobKind.IMPORT, 1, before=jobs[2].job_id) == [jobs[1]]
    assert store.newest("bike", JobKind.IMPORT, 5, before=jobs[0].job_id) == []
    assert store.newest("unknown", JobKind.IMPORT, 5) == []

"""An erasure that is stopped anywhere comes farther with every run; its second pass begins no earlier than it may."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.core.errors import NotFound
from hindsight.core.jobs import Job, JobKind
from hindsight.lake.object_store import model_prefix
from hindsight.privacy.data_map import OTHERS, REJECTS
from hindsight.privacy.erasure import Eraser, Step
from hindsight.privacy.passes import ErasurePass, Work
from hindsight.privacy.stores import ObjectVersion
from hindsight.privacy.subject import Subject, WholeModel
from hindsight.profiles.reference import partial_key, reference_key
from hindsight.retention.retirement import SCOPE, WHOLE_MODEL
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.jobs.job_store import InMemoryJobs
from hindsight.testing.models.configurations import InMemoryConfigurations

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
MODEL, JOB = "bike-demand", "erasure-1"
MINUTE = timedelta(minutes=1)


@dataclass
class PagedErasure:
    """Steps of pages that each hold so many rows, many of them none; it records each page that is worked off."""

    pages: Sequence[Sequence[int]]
    done: list[tuple[int, int]] = field(default_factory=list)
    finalized: int = 0

    def subject(self, job: Job) -> Subject:
        return WholeModel(model=job.model, entity_id=job.model, at=job.at)

    def steps(self) -> list[Step]:
        return [self._step(number) for number in range(len(self.pages))]

    def finalize(self, _work: Work, _now: datetime) -> None:
        self.finalized += 1

    def _step(self, number: int) -> Step:
        def work_off(work: Work) -> Iterator[str]:
            pages = self.pages[number]
            for place in range(int(work.progress.after or 0), len(pages)):
                self.done.append((number, place))
                work.progress.counts["rows"] += pages[place]
                if place + 1 < len(pages):  # as a table's last page: it has no checkpoint
                    yield str(place + 1)

        return work_off


@dataclass
class World:
    """An erasure of a model in memory, at a moment."""

    kind: PagedErasure
    now: datetime = AT
    jobs: InMemoryJobs = field(default_factory=InMemoryJobs)

    def __post_init__(self) -> None:
        request = {SCOPE: WHOLE_MODEL, "actor": "key:operator"}
        self.jobs.start(Job(kind=JobKind.ERASURE, model=MODEL, job_id=JOB, at=AT, started_at=AT, request=request))
        self.eraser = Eraser(
            jobs=self.jobs,
            configurations=InMemoryConfigurations(configuration()),
            entities=PagedErasure([]),
            models=self.kind,
            settling=15 * MINUTE,
            clock=lambda: self.now,
        )

    @property
    def job(self) -> Job:
        return self.jobs.jobs[MODEL, JOB]


@given(pages=st.lists(st.lists(st.integers(0, 2), max_size=4), max_size=4), seconds=st.integers(0, 3))
def test_every_page_is_worked_off_once_a_pass_however_often_the_time_runs_out(
    pages: list[list[int]], seconds: int
) -> None:
    world = World(PagedErasure(pages))
    for _ in range(2 * sum(map(len, pages)) + 2 * len(pages) + 3):
        left = iter([True] * seconds)
        run = world.eraser.run(MODEL, JOB, lambda left=left: next(left, False))  # type: ignore[misc]
        if not run.is_to_go_on:
            break
        world.now += timedelta(seconds=run.wait_seconds)

    assert world.job.is_over
    assert world.kind.finalized == 1
    once = [(step, place) for step, found in enumerate(pages) for place in range(len(found))]
    assert world.kind.done == [*once, *once]
    assert world.job.counts.get("rows", 0) == 2 * sum(map(sum, pages))


def test_second_pass_waits_although_another_message_arrives() -> None:
    world = World(PagedErasure([[1]]))
    assert world.eraser.run(MODEL, JOB, lambda: True).wait_seconds == 15 * 60

    world.now += 5 * MINUTE
    early = world.eraser.run(MODEL, JOB, lambda: True)
    assert (early.is_to_go_on, early.wait_seconds) == (True, 10 * 60)
    assert world.kind.done == [(0, 0)]

    world.now += 10 * MINUTE
    assert not world.eraser.run(MODEL, JOB, lambda: True).is_to_go_on
    assert world.kind.done == [(0, 0), (0, 0)]


def test_job_that_is_missing_is_an_error_of_a_model_that_is_not_erased() -> None:
    with pytest.raises(NotFound):
        World(PagedErasure([])).eraser.run(MODEL, "erasure-2", lambda: True)


class ListedVersions:
    """Versions of some keys, all written long ago; reading is of none."""

    def __init__(self, *keys: str) -> None:
        self._keys = sorted(keys)

    def under(self, prefix: str, after: str = "") -> Iterator[ObjectVersion]:
        for key in self._keys:
            if key.startswith(prefix) and key > after:
                yield ObjectVersion(key=key, version_id="1", tag="t", is_current=True, written_at=AT - MINUTE)

    def read(self, version: ObjectVersion) -> bytes:
        return b""

    def purge(self, versions: Sequence[ObjectVersion]) -> None:
        pytest.fail("there is nothing to remove")

    def purge_all(self, prefix: str) -> Iterator[int]:
        pytest.fail("there is nothing to remove")


@pytest.mark.parametrize(
    "name", [reference_key(MODEL, "v1"), partial_key(MODEL, "v1"), "profiles/model=bike-demand/h.profile"]
)
def test_every_profile_that_keeps_rows_of_predictions_is_read_by_an_erasure(name: str) -> None:
    passes = ErasurePass(InMemoryLake(), ListedVersions(name))

    read = [found.key for place in OTHERS for found in passes.keys(place, MODEL, "", None) if found.versions]

    assert read == [name]


@pytest.mark.parametrize("model", ["bike-demand", "7-days", "A"])
@pytest.mark.parametrize("number", [1, 2])
def test_pass_stops_at_any_key_and_goes_on_behind_it(model: str, number: int) -> None:
    """Keys that are too old to read count as well, and so do those of the second of two prefixes."""
    location = REJECTS[0]
    keys = {f"{prefix}{name}" for prefix in location.prefixes(model) for name in "abc"}
    found = ErasurePass(InMemoryLake(), ListedVersions(*keys, model_prefix("labels", model) + "a"))
    world = World(PagedErasure([]))
    work = Work(job=world.job, subject=WholeModel(model=model, entity_id=model, at=AT), number=number, step=0)

    done = []
    while (key := next(found.clean(work, location), None)) is not None:
        done.append(key)
        work.progress.after = key

    assert set(done) == keys
    assert len(done) == len(keys)

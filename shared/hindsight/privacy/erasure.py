"""The work of erasures, step by step: stopped anywhere, it goes on there, and a repeated step changes nothing.

What was on its way meanwhile (a stream, a buffer, a compaction that had read already) is caught by a second pass a
while later, which looks at what was written since.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from hindsight.config.store import ConfigurationStore, is_erased
from hindsight.core.errors import NotFound
from hindsight.core.jobs import Job, JobKind, JobStore, find_job
from hindsight.core.times import format_time, parse_time
from hindsight.privacy.passes import Progress, Work
from hindsight.privacy.requests import DATASETS, STEPS, STEPS_TOTAL, UNREADABLE, without_subject
from hindsight.privacy.subject import Subject
from hindsight.retention.retirement import SCOPE, WHOLE_MODEL

_PASSES = 2
_SETTLED_AT = "settled_at"

# Does its work from the progress' ``after`` on, and yields where the next run would go on. A run whose time is over at
# the first yield must have come farther: a page without work yields too if a place lies behind it, the last does not.
Step = Callable[[Work], Iterator[str]]


class ErasureKind(Protocol):
    """The erasure of one kind of subject."""

    def subject(self, job: Job) -> Subject:
        """Build the subject of a job."""

    def steps(self) -> Sequence[Step]:
        """List the steps of a pass."""

    def finalize(self, work: Work, now: datetime) -> None:
        """Do what is left once the last pass is done; doing it again is safe."""


@dataclass(slots=True)
class ErasureRun:
    """The result of one run: the erasure as far as it came, None if there is nothing for this worker to go on with.

    ``wait_seconds``: so long the next run is to wait for what is on its way.
    """

    job: Job | None
    wait_seconds: int = 0

    @property
    def is_to_go_on(self) -> bool:
        """True while the rest waits for another run."""
        return self.job is not None and not self.job.is_over


@dataclass(frozen=True, slots=True, kw_only=True)
class Eraser:
    """The worker of erasures. ``settling`` lies between its passes; ``clock`` says when they end."""

    jobs: JobStore
    configurations: ConfigurationStore
    entities: ErasureKind
    models: ErasureKind
    settling: timedelta
    clock: Callable[[], datetime]

    def run(self, model: str, job_id: str, has_time: Callable[[], bool]) -> ErasureRun:
        """Work on an erasure while there is time.

        Raises NotFound for an unknown one, Unavailable; running it again goes on where it stopped.
        """
        run = ErasureRun(self._find(model, job_id))
        if run.job is not None and run.is_to_go_on:
            self._run(run, run.job, has_time)
        return run

    def _find(self, model: str, job_id: str) -> Job | None:
        """Find an erasure; None where its model is erased besides, which takes entities and their jobs along."""
        goes_along = is_erased(self.configurations, model)
        try:
            job = find_job(self.jobs, model, job_id, JobKind.ERASURE)
        except NotFound:
            if goes_along:
                return None
            raise
        return None if goes_along and not _is_of_model(job) else job

    def _run(self, run: ErasureRun, job: Job, has_time: Callable[[], bool]) -> None:
        # Another message than the one that was held back, a resumption's for one, must not begin the pass early.
        settled_at = job.checkpoint.get(_SETTLED_AT)
        if settled_at is not None and (left := parse_time(settled_at) - self.clock()) > timedelta(0):
            run.wait_seconds = math.ceil(left.total_seconds())
            return
        kind = self.models if _is_of_model(job) else self.entities
        work = Work(
            job=job,
            subject=kind.subject(job),
            number=job.checkpoint.get("pass", 1),
            step=job.checkpoint.get("step", 0),
            progress=Progress(job.checkpoint.get("after", ""), unreadable=list(job.checkpoint.get(UNREADABLE, ()))),
            datasets=set(job.checkpoint.get(DATASETS, ())),
        )
        self._go_on(run, work, kind, has_time)

    def _go_on(self, run: ErasureRun, work: Work, kind: ErasureKind, has_time: Callable[[], bool]) -> None:
        steps = kind.steps()
        while work.step < len(steps):
            for after in steps[work.step](work):
                work.progress.after = after
                if not has_time():
                    self._save(run, work, _checkpoint(work, len(steps)))
                    return
            work.step, work.progress.after = work.step + 1, ""
            if not self._save(run, work, _checkpoint(work, len(steps))) or not has_time():
                return
        if work.number < _PASSES:
            work.number, work.step = work.number + 1, 0
            settled_at = format_time(self.clock() + self.settling)
            if self._save(run, work, {**_checkpoint(work, len(steps)), _SETTLED_AT: settled_at}):
                run.wait_seconds = int(self.settling.total_seconds())
            return
        kind.finalize(work, self.clock())
        total = _PASSES * len(steps)
        result = {**_found(work), STEPS: total, STEPS_TOTAL: total}
        done = without_subject(work.job.completed(self.clock(), result))
        run.job = done if self.jobs.save(done) else None

    def _save(self, run: ErasureRun, work: Work, checkpoint: Mapping[str, Any]) -> bool:
        job = work.job.advanced(checkpoint, work.progress.counts)
        run.job = job if self.jobs.save(job) else None
        work.job, work.progress.counts = job, type(work.progress.counts)()
        return run.job is not None


def _is_of_model(job: Job) -> bool:
    return job.request.get(SCOPE) == WHOLE_MODEL


def _checkpoint(work: Work, steps: int) -> dict[str, Any]:
    return {
        "pass": work.number,
        "step": work.step,
        "after": work.progress.after,
        STEPS: (work.number - 1) * steps + work.step,
        STEPS_TOTAL: _PASSES * steps,
        **_found(work),
    }


def _found(work: Work) -> dict[str, Any]:
    return {DATASETS: sorted(work.datasets), UNREADABLE: work.progress.unreadable}

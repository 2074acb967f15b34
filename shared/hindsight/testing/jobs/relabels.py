"""Relabellings in memory, judged by the same contract suite as DynamoRelabels."""

from collections.abc import Sequence
from dataclasses import replace

from hindsight.core.jobs import JobStatus, no_job
from hindsight.labels.relabelling.job import RESUMABLE, Counts, RelabelJob
from hindsight.labels.relabelling.store import MAX_STEPS, FilePosition, FileStep, RelabelEnd

Key = tuple[str, str]


class InMemoryRelabels:
    """Relabellings in a dictionary, the open attempt by model."""

    def __init__(self) -> None:
        self._jobs: dict[Key, RelabelJob] = {}
        self._open: dict[str, tuple[str, int]] = {}
        self._positions: dict[tuple[str, str, str], FilePosition] = {}

    def open_job(self, model: str) -> RelabelJob | None:
        return self.state(model, self._open[model][0]) if model in self._open else None

    def begin(self, job: RelabelJob, dead: RelabelJob | None) -> bool:
        if self._open.get(job.model) != ((dead.job_id, dead.attempt) if dead else None):
            return False
        stored = self._jobs.get((job.model, job.job_id))
        if job.attempt == 1:
            if stored is not None:
                return False
            self._jobs[job.model, job.job_id] = job
        else:
            is_ended = stored is not None and stored.status in {*RESUMABLE, JobStatus.RUNNING}
            if stored is None or not is_ended or stored.attempt != job.attempt - 1:
                return False
            self._jobs[job.model, job.job_id] = replace(
                stored,
                attempt=job.attempt,
                status=JobStatus.RUNNING,
                failures=0,
                failure=None,
                finished_at=None,
            )
        if dead is not None and dead.job_id != job.job_id:
            end = RelabelEnd(JobStatus.STOPPED, job.started_at)
            self._jobs[dead.model, dead.job_id] = _ended(self.job(dead.model, dead.job_id), end)
        self._open[job.model] = job.job_id, job.attempt
        return True

    def conclude(self, model: str, job_id: str, attempt: int, end: RelabelEnd) -> bool:
        job = self.job(model, job_id)
        if self._open.get(model) != (job_id, attempt) or job.attempt != attempt:
            return False
        self._jobs[model, job_id] = _ended(job, end)
        del self._open[model]
        return True

    def note_files(self, job: RelabelJob, total: int) -> None:
        stored = self.job(job.model, job.job_id)
        if stored.attempt == job.attempt:
            self._jobs[job.model, job.job_id] = replace(stored, files_total=total)

    def note_failure(self, job: RelabelJob, failure: str) -> None:
        stored = self.job(job.model, job.job_id)
        if stored.attempt == job.attempt:
            noted = replace(stored, failures=stored.failures + 1, failure=failure)
            self._jobs[job.model, job.job_id] = noted

    def job(self, model: str, job_id: str) -> RelabelJob:
        try:
            return self._jobs[model, job_id]
        except KeyError as error:
            raise no_job(model, job_id) from error

    def newest(self, model: str, limit: int, before: str | None = None) -> list[RelabelJob]:
        ids = sorted((job_id for name, job_id in self._jobs if name == model), reverse=True)
        earlier = [job_id for job_id in ids if before is None or job_id < before]
        return [self._jobs[model, job_id] for job_id in earlier[:limit]]

    def state(self, model: str, job_id: str) -> RelabelJob:
        return replace(self.job(model, job_id), counts=Counts())

    def positions(self, job: RelabelJob, files: Sequence[str]) -> dict[str, FilePosition]:
        return {file: self._positions.get((job.model, job.job_id, file), FilePosition()) for file in files}

    def advance(self, job: RelabelJob, steps: Sequence[FileStep], counts: Counts) -> bool:
        assert 0 < len(steps) <= MAX_STEPS
        found = self.positions(job, [step.file for step in steps])
        if any(found[step.file] != step.before for step in steps):
            return False
        for step in steps:
            self._positions[job.model, job.job_id, step.file] = step.after
        stored = self.job(job.model, job.job_id)
        self._jobs[job.model, job.job_id] = replace(stored, counts=stored.counts.plus(counts))
        return True


def _ended(job: RelabelJob, end: RelabelEnd) -> RelabelJob:
    return replace(job, status=end.status, finished_at=end.at, failure=end.failure or job.failure)

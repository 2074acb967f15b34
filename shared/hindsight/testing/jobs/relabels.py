"""Relabellings in memory, judged by the same contract suite as DynamoRelabels."""

from collections.abc import Sequence
from dataclasses import replace

from hindsight.core.errors import NotFound
from hindsight.labels.relabelling.job import RESUMABLE, Counts, RelabelJob, RelabelStatus
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
        if self._open.get(job.model) != ((dead.relabel_id, dead.attempt) if dead else None):
            return False
        stored = self._jobs.get((job.model, job.relabel_id))
        if job.attempt == 1:
            if stored is not None:
                return False
            self._jobs[job.model, job.relabel_id] = job
        else:
            is_ended = stored is not None and stored.status in {*RESUMABLE, RelabelStatus.RUNNING}
            if stored is None or not is_ended or stored.attempt != job.attempt - 1:
                return False
            self._jobs[job.model, job.relabel_id] = replace(
                stored,
                attempt=job.attempt,
                status=RelabelStatus.RUNNING,
                failures=0,
                failure=None,
                finished_at=None,
            )
        if dead is not None and dead.relabel_id != job.relabel_id:
            end = RelabelEnd(RelabelStatus.STOPPED, job.started_at)
            self._jobs[dead.model, dead.relabel_id] = _ended(self.job(dead.model, dead.relabel_id), end)
        self._open[job.model] = job.relabel_id, job.attempt
        return True

    def conclude(self, model: str, relabel_id: str, attempt: int, end: RelabelEnd) -> bool:
        job = self.job(model, relabel_id)
        if self._open.get(model) != (relabel_id, attempt) or job.attempt != attempt:
            return False
        self._jobs[model, relabel_id] = _ended(job, end)
        del self._open[model]
        return True

    def note_files(self, job: RelabelJob, total: int) -> None:
        stored = self.job(job.model, job.relabel_id)
        if stored.attempt == job.attempt:
            self._jobs[job.model, job.relabel_id] = replace(stored, files_total=total)

    def note_failure(self, job: RelabelJob, failure: str) -> None:
        stored = self.job(job.model, job.relabel_id)
        if stored.attempt == job.attempt:
            noted = replace(stored, failures=stored.failures + 1, failure=failure)
            self._jobs[job.model, job.relabel_id] = noted

    def job(self, model: str, relabel_id: str) -> RelabelJob:
        try:
            return self._jobs[model, relabel_id]
        except KeyError as error:
            raise NotFound(f"the model {model!r} has no relabelling {relabel_id!r}") from error

    def jobs(self, model: str, limit: int) -> list[RelabelJob]:
        ids = sorted((relabel_id for name, relabel_id in self._jobs if name == model), reverse=True)
        return [self._jobs[model, relabel_id] for relabel_id in ids[:limit]]

    def state(self, model: str, relabel_id: str) -> RelabelJob:
        return replace(self.job(model, relabel_id), counts=Counts())

    def positions(self, job: RelabelJob, files: Sequence[str]) -> dict[str, FilePosition]:
        return {file: self._positions.get((job.model, job.relabel_id, file), FilePosition()) for file in files}

    def advance(self, job: RelabelJob, steps: Sequence[FileStep], counts: Counts) -> bool:
        assert 0 < len(steps) <= MAX_STEPS
        found = self.positions(job, [step.file for step in steps])
        if any(found[step.file] != step.before for step in steps):
            return False
        for step in steps:
            self._positions[job.model, job.relabel_id, step.file] = step.after
        stored = self.job(job.model, job.relabel_id)
        self._jobs[job.model, job.relabel_id] = replace(stored, counts=stored.counts.plus(counts))
        return True


def _ended(job: RelabelJob, end: RelabelEnd) -> RelabelJob:
    return replace(job, status=end.status, finished_at=end.at, failure=end.failure or job.failure)

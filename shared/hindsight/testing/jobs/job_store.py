"""A job store in memory, judged by the same contract suite as DynamoJobs."""

from hindsight.core.jobs import Job, JobKind


class InMemoryJobs:
    """Jobs in a dictionary."""

    def __init__(self) -> None:
        self.jobs: dict[tuple[str, JobKind, str], Job] = {}

    def start(self, job: Job) -> Job:
        return self.jobs.setdefault((job.model, job.kind, job.job_id), job)

    def load(self, model: str, kind: JobKind, job_id: str) -> Job | None:
        return self.jobs.get((model, kind, job_id))

    def save(self, job: Job) -> bool:
        stored = self.load(job.model, job.kind, job.job_id)
        if stored is None or stored.version != job.version - 1:
            return False
        self.jobs[job.model, job.kind, job.job_id] = job
        return True

    def newest(self, model: str, kind: JobKind, limit: int) -> list[Job]:
        found = [job for (of, what, _), job in self.jobs.items() if (of, what) == (model, kind)]
        return sorted(found, key=lambda job: job.job_id, reverse=True)[:limit]

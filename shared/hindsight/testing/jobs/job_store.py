"""A job store in memory, judged by the same contract suite as DynamoJobs."""

from hindsight.core.jobs import Job, JobKind


class InMemoryJobs:
    """Jobs in a dictionary."""

    def __init__(self) -> None:
        self.jobs: dict[tuple[str, str], Job] = {}

    def start(self, job: Job) -> Job:
        return self.jobs.setdefault((job.model, job.job_id), job)

    def load(self, model: str, job_id: str) -> Job | None:
        return self.jobs.get((model, job_id))

    def save(self, job: Job) -> bool:
        stored = self.load(job.model, job.job_id)
        if stored is None or stored.version != job.version - 1:
            return False
        self.jobs[job.model, job.job_id] = job
        return True

    def newest(self, model: str, kind: JobKind, limit: int, before: str | None = None) -> list[Job]:
        found = [job for (of, name), job in self.jobs.items() if of == model and name.startswith(f"{kind}-")]
        earlier = [job for job in found if before is None or job.job_id < before]
        return sorted(earlier, key=lambda job: job.job_id, reverse=True)[:limit]

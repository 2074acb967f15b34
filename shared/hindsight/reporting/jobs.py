"""The reports on jobs of every kind, in the one shape that operators read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import structs

from hindsight.config.store import ConfigurationStore
from hindsight.core.errors import InvalidInput
from hindsight.core.jobs import Job, JobKind, JobReport, JobStore, Progress, find_job, kind_of
from hindsight.core.times import format_time
from hindsight.datasets.building.verification_requests import ENDS_WITHIN
from hindsight.datasets.exports.export_requests import BYTES, DONE, DROPPED, TOTAL
from hindsight.labels.relabelling.job import RelabelJob
from hindsight.labels.relabelling.requests import RelabelReports
from hindsight.lake.object_store import Lake, export_key
from hindsight.privacy.requests import DATASETS, ENTITY, STEPS, STEPS_TOTAL, UNREADABLE, affected_versions
from hindsight.quarantine.replay_request import JOINED, KEPT, REPLAYED
from hindsight.quarantine.report import require_model
from hindsight.registry.store import Registry
from hindsight.reporting.status import LINKS_LAST

_REASON = "reason"

DIED = "its function ended without a result each time; the dead letters of invocations and its log have the cause"


@dataclass(frozen=True, slots=True)
class JobReports:
    """The reports on the jobs of models; a verification whose function can no longer be at work has failed."""

    jobs: JobStore
    relabellings: RelabelReports
    registry: Registry
    configurations: ConfigurationStore
    lake: Lake
    clock: Callable[[], datetime]

    def find(self, model: str, job_id: str) -> JobReport:
        """Read one job; of an erasure also the versions trained on the erased data, of an export a link to its file.

        Raises NotFound.
        """
        if kind_of(model, job_id) is JobKind.RELABELLING:
            return relabelling_report(self.relabellings.job(model, job_id))
        report = self._report(find_job(self.jobs, model, job_id))
        if report.result is None:
            return report
        return structs.replace(report, result={**report.result, **self._beside(report, model, report.result)})

    def _beside(self, report: JobReport, model: str, result: Mapping[str, Any]) -> dict[str, Any]:
        if report.kind is JobKind.ERASURE:
            return {"versions": list(affected_versions(result[DATASETS], model, self.registry))}
        key = export_key(model, report.job_id)
        # It expires, and an erasure removes it.
        if report.kind is JobKind.EXPORT and key in self.lake.keys(key):
            return {"url": self.lake.link(key, LINKS_LAST)}
        return {}

    def newest(self, model: str, kind: JobKind | None, limit: int, before: str | None = None) -> list[JobReport]:
        """List at most ``limit`` jobs of one kind or of all, the newest first, begun before a job.

        Raises NotFound for a model that neither exists nor has any.
        """
        kinds = JobKind if kind is None else (kind,)
        found = [report for each in kinds for report in self._of_kind(model, each, limit, before)]
        if not found:
            require_model(self.configurations, model)
        return sorted(found, key=lambda report: _moment(report.job_id), reverse=True)[:limit]

    def _of_kind(self, model: str, kind: JobKind, limit: int, before: str | None) -> list[JobReport]:
        bound = None if before is None else f"{kind}-{_moment(before)}"
        if kind is JobKind.RELABELLING:
            return [relabelling_report(job) for job in self.relabellings.newest(model, limit, bound)]
        return [self._report(job) for job in self.jobs.newest(model, kind, limit, bound)]

    def _report(self, job: Job) -> JobReport:
        if job.kind is JobKind.VERIFICATION and not job.is_over and self.clock() > job.started_at + ENDS_WITHIN:
            return job_report(job.failed(job.started_at + ENDS_WITHIN, DIED))
        return job_report(job)


def parse_kind(text: str | None) -> JobKind | None:
    """Read the kind of jobs that a query asks for, None of all. Raises InvalidInput with the path at fault."""
    if text is None or text in set(JobKind):
        return None if text is None else JobKind(text)
    raise InvalidInput.in_query("kind", f"must be one of {', '.join(JobKind)}")


def relabelling_report(job: RelabelJob) -> JobReport:
    """Report a relabelling."""
    days = {"from": job.first_day, "to": job.last_day}
    done, total = job.counts.files, job.files_total
    return JobReport(
        job_id=job.job_id,
        kind=JobKind.RELABELLING,
        status=job.status,
        started_at=job.started_at,
        finished_at=job.finished_at,
        # A few may have come since they were counted, and what an earlier attempt read may be in packs by now.
        progress=Progress(done=done, total=None if total is None else max(done, total)),
        actor=job.actor,
        reason=job.reason,
        request={
            **{name: day.isoformat() for name, day in days.items() if day is not None},
            "rules_revision": job.rules_revision,
            "known_at": format_time(job.known_at),
            "attempt": job.attempt,
        },
        result={
            "predictions": job.counts.predictions,
            "events": job.counts.events,
            "events_recovered": job.counts.recovered,
            "labels_changed": job.counts.labels,
        },
        failure=job.failure,
    )


def job_report(job: Job) -> JobReport:
    """Report a job that is no relabelling, an erasure without its subject."""
    progress, result = _SHOWN[job.kind](job)
    return JobReport(
        job_id=job.job_id,
        kind=job.kind,
        status=job.status,
        started_at=job.started_at,
        finished_at=job.finished_at,
        progress=progress,
        actor=job.actor,
        reason=job.request.get(_REASON),
        request={name: value for name, value in job.request.items() if name not in {ENTITY, _REASON}},
        result=result,
        failure=job.failure,
    )


def _import(job: Job) -> tuple[Progress, Mapping[str, Any]]:
    lines = job.checkpoint["line"]
    counts = {name: job.counts.get(name, 0) for name in ("accepted", "rejected")}
    return Progress(done=lines, total=lines if job.is_over else None), counts


def _replay(job: Job) -> tuple[Progress, Mapping[str, Any]]:
    rows = sum(job.counts.values())
    kept = {name.removeprefix(KEPT): number for name, number in job.counts.items() if name.startswith(KEPT)}
    counts = {**{name: job.counts.get(name, 0) for name in (REPLAYED, JOINED)}, "kept": kept}
    return Progress(done=rows, total=rows if job.is_over else None), counts


def _erasure(job: Job) -> tuple[Progress, Mapping[str, Any]]:
    kept = {name: list(job.checkpoint.get(name, ())) for name in (DATASETS, UNREADABLE)}
    progress = Progress(done=job.checkpoint.get(STEPS, 0), total=job.checkpoint.get(STEPS_TOTAL))
    return progress, {"counts": dict(sorted(job.counts.items())), **kept}


def _verification(job: Job) -> tuple[Progress, Mapping[str, Any] | None]:
    return Progress(done=int(job.is_over), total=1), job.checkpoint or None


def _export(job: Job) -> tuple[Progress, Mapping[str, Any] | None]:
    found = job.checkpoint
    result = {name: found[name] for name in (DONE, DROPPED, BYTES)} if DROPPED in found else None
    return Progress(done=found.get(DONE, 0), total=found.get(TOTAL)), result


_SHOWN: Mapping[JobKind, Callable[[Job], tuple[Progress, Mapping[str, Any] | None]]] = {
    JobKind.IMPORT: _import,
    JobKind.REPLAY: _replay,
    JobKind.ERASURE: _erasure,
    JobKind.VERIFICATION: _verification,
    JobKind.EXPORT: _export,
}


def _moment(job_id: str) -> str:
    """Read the part of an id by which jobs of all kinds are in order."""
    return job_id.partition("-")[2]

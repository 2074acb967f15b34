"""Relabellings as items of the models table, and back."""

import zlib
from collections.abc import Mapping
from datetime import date
from typing import Any

from hindsight.core.times import format_time, parse_time
from hindsight.labels.relabelling.job import Counts, RelabelJob, RelabelStatus

COUNTS = "#counts"
PROGRESS_SHARDS = 16
_JOB = "relabel#"


def job_key(model: str, relabel_id: str) -> dict[str, str]:
    """Return the key of a relabelling; ids begin with their moment, so that the sort key is their order."""
    return {"pk": model, "sk": f"{_JOB}{relabel_id}"}


def progress_partition(job: RelabelJob, shard: int) -> str:
    """Build the partition key of a part of a relabelling's progress.

    Apart from the model's own items: there may be a million files. Each part has a counter of its own, since of many
    workers that add to one item at once only one succeeds.
    """
    return f"{job.model}#{_JOB}{job.relabel_id}#{shard}"


def file_key(job: RelabelJob, file: str) -> dict[str, str]:
    """Build the key of how far a relabelling is in a file."""
    return {"pk": progress_partition(job, progress_shard(file)), "sk": file}


def counts_key(job: RelabelJob, shard: int) -> dict[str, str]:
    """Build the key of the counts of one part of a relabelling's progress."""
    return {"pk": progress_partition(job, shard), "sk": COUNTS}


def progress_shard(file: str) -> int:
    """Compute which part of the progress a file belongs to."""
    return zlib.crc32(file.encode()) % PROGRESS_SHARDS


def counts_from_item(item: Mapping[str, Any]) -> Counts:
    """Build the counts an item holds."""
    return Counts(**{name: item.get(f"{name}_counted", 0) for name in Counts.__slots__})


def job_to_item(job: RelabelJob) -> dict[str, Any]:
    """Return a relabelling as an item."""
    return {
        **job_key(job.model, job.relabel_id),
        "relabel_id": job.relabel_id,
        "reason": job.reason,
        "rules_revision": job.rules_revision,
        "known_at": format_time(job.known_at),
        "started_at": format_time(job.started_at),
        "first_day": job.first_day.isoformat() if job.first_day else None,
        "last_day": job.last_day.isoformat() if job.last_day else None,
        "attempt": job.attempt,
        "files_total": job.files_total,
        "job_status": job.status.value,
        "failures": job.failures,
        "failure": job.failure,
        "finished_at": format_time(job.finished_at) if job.finished_at else None,
    }


def job_from_item(item: Mapping[str, Any]) -> RelabelJob:
    """Return the relabelling an item holds."""
    return RelabelJob(
        model=item["pk"],
        relabel_id=item["relabel_id"],
        reason=item["reason"],
        rules_revision=item["rules_revision"],
        known_at=parse_time(item["known_at"]),
        started_at=parse_time(item["started_at"]),
        first_day=date.fromisoformat(item["first_day"]) if "first_day" in item else None,
        last_day=date.fromisoformat(item["last_day"]) if "last_day" in item else None,
        attempt=item["attempt"],
        status=RelabelStatus(item["job_status"]),
        files_total=item.get("files_total"),
        failures=item["failures"],
        failure=item.get("failure"),
        finished_at=parse_time(item["finished_at"]) if "finished_at" in item else None,
    )

"""Relabellings as items of the models table, and back."""

import zlib
from collections.abc import Mapping
from typing import Any

from hindsight.adapters.dynamodb.attributes import from_attributes, to_attributes
from hindsight.labels.relabelling.job import Counts, RelabelJob

COUNTS = "#counts"
PROGRESS_SHARDS = 16
_JOB = "relabel#"


def job_key(model: str, relabel_id: str) -> dict[str, str]:
    """Build the key of a relabelling; ids begin with their moment, so that the sort key is their order."""
    return {"pk": model, "sk": f"{_JOB}{relabel_id}"}


def progress_partition(job: RelabelJob, shard: int) -> str:
    """Build the partition key of a part of a relabelling's progress.

    Apart from the model's own items: there may be a million files. Each part has its own counter, since of many
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
    """Build the item of a relabelling; its counts have separate items."""
    values = to_attributes(job)
    status = values.pop("status")  # a word of DynamoDB's own
    return {**job_key(values.pop("model"), job.relabel_id), **values, "counts": None, "job_status": status}


def job_from_item(item: Mapping[str, Any]) -> RelabelJob:
    """Read the relabelling of an item."""
    return from_attributes(RelabelJob, {**item, "model": item["pk"], "status": item["job_status"]})

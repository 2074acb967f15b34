"""Relabellings in the models table, and how far each is in its files."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.model_items import ModelItems
from hindsight.adapters.dynamodb.requests import batch_get, to_item, transact
from hindsight.adapters.jobs_table.job_keys import newest_items, sort_key
from hindsight.adapters.jobs_table.relabel_items import (
    PROGRESS_SHARDS,
    counts_from_item,
    counts_key,
    file_key,
    job_from_item,
    job_key,
    job_to_item,
    progress_shard,
)
from hindsight.core.jobs import JobKind, JobStatus, no_job
from hindsight.core.times import format_time
from hindsight.labels.relabelling.job import MAX_REASON, Counts, RelabelJob
from hindsight.labels.relabelling.store import FilePosition, FileStep, RelabelEnd

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_OPEN = "relabel-open"
_ABSENT = "attribute_not_exists(pk)"

Operation = Any


class DynamoRelabels:
    """The relabellings: a lock, an item each, an item a file and counts (``hindsight.labels.relabelling.store``)."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client
        self._items = ModelItems(table, client)

    def open_job(self, model: str) -> RelabelJob | None:
        """Read the open relabelling without its counts, None if there is none."""
        lock = self._items.get(model, _OPEN)
        return None if lock is None else self.state(model, lock["job_id"])

    def begin(self, job: RelabelJob, dead: RelabelJob | None) -> bool:
        """Make an attempt the open one; see ``RelabelStore``."""
        operations = [self._take_lock(job, dead), self._put_job(job) if job.attempt == 1 else self._reopen(job)]
        if dead is not None and dead.job_id != job.job_id:
            operations.append(self._end(dead, RelabelEnd(JobStatus.STOPPED, job.started_at)))
        return transact(self._client, operations) is None

    def conclude(self, model: str, job_id: str, attempt: int, end: RelabelEnd) -> bool:
        """Record how an attempt ended and close it; False if it is not the open one (any more)."""
        job = self.state(model, job_id)
        if job.attempt != attempt:
            return False
        return transact(self._client, [self._end(job, end), self._release_lock(job)]) is None

    def note_files(self, job: RelabelJob, total: int) -> None:
        """Note how many files the open attempt has found. What an earlier attempt found is ignored."""
        update = self._update(
            job_key(job.model, job.job_id),
            "SET files_total = :total",
            "attempt = :attempt",
            {":total": total, ":attempt": job.attempt},
        )
        transact(self._client, [update])

    def note_failure(self, job: RelabelJob, failure: str) -> None:
        """Count a failure of the open attempt; the last one's text is kept. One of an earlier attempt is ignored."""
        update = self._update(
            job_key(job.model, job.job_id),
            "ADD failures :one SET failure = :failure",
            "attempt = :attempt",
            {":one": 1, ":failure": failure[:MAX_REASON], ":attempt": job.attempt},
        )
        transact(self._client, [update])

    def job(self, model: str, job_id: str) -> RelabelJob:
        """Read one relabelling. Raises NotFound."""
        return self._counted(self.state(model, job_id))

    def state(self, model: str, job_id: str) -> RelabelJob:
        """Read one relabelling without its counts. Raises NotFound."""
        item = self._items.get(model, sort_key(job_id))
        if item is None:
            raise no_job(model, job_id)
        return job_from_item(item)

    def newest(self, model: str, limit: int, before: str | None = None) -> list[RelabelJob]:
        """List at most ``limit`` relabellings, newest first, with ids below ``before``."""
        found = newest_items(self._items, model, JobKind.RELABELLING, limit, before)
        return [self._counted(job_from_item(item)) for item in found]

    def positions(self, job: RelabelJob, files: Sequence[str]) -> dict[str, FilePosition]:
        """Read a relabelling's position in each of some files, whichever attempt reached it. Raises Unavailable."""
        keys = [file_key(job, file) for file in files]
        wanted = [(key["pk"], key["sk"]) for key in keys]
        found = {
            item["sk"]: FilePosition(item["line"], item["is_done"], item.get("is_followed", False))
            for item in batch_get(self._client, self._table, wanted, consistent=True)
        }
        return {file: found.get(file, FilePosition()) for file in files}

    def advance(self, job: RelabelJob, steps: Sequence[FileStep], counts: Counts) -> bool:
        """Move on in some files and add to the relabelling's counts, all of it or nothing; see ``RelabelStore``."""
        added = {f":{name}_counted": getattr(counts, name) for name in counts.__slots__}
        count: Operation = {
            "Update": {
                "TableName": self._table,
                "Key": to_item(counts_key(job, progress_shard(steps[0].file))),
                "UpdateExpression": "ADD " + ", ".join(f"{name[1:]} {name}" for name in added),
                "ExpressionAttributeValues": to_item(added),
            }
        }
        return transact(self._client, [*(self._step(job, step) for step in steps), count]) is None

    def _step(self, job: RelabelJob, step: FileStep) -> Operation:
        # Of two workers that have the same lines in hand only the first finds the file where it was.
        moved = {
            ":line": step.after.line,
            ":done": step.after.is_done,
            ":followed": step.after.is_followed,
            ":expires": int(job.checkpoint_expires_at.timestamp()),
        }
        is_new = step.before == FilePosition()
        before: dict[str, Any] = {":before": step.before.line, ":undone": step.before.is_done}
        found = "line = :before AND is_done = :undone"
        if step.before.is_followed:
            # Done before and after: of two workers that count it only the first finds it uncounted.
            before[":uncounted"] = True
            found += " AND is_followed = :uncounted"
        return self._update(
            file_key(job, step.file),
            "SET line = :line, is_done = :done, is_followed = :followed, expires_at = :expires",
            _ABSENT if is_new else found,
            moved if is_new else {**moved, **before},
        )

    def _counted(self, job: RelabelJob) -> RelabelJob:
        keys = [counts_key(job, shard) for shard in range(PROGRESS_SHARDS)]
        wanted = [(key["pk"], key["sk"]) for key in keys]
        # Consistent: a count includes every step that was acknowledged to a worker.
        parts = map(counts_from_item, batch_get(self._client, self._table, wanted, consistent=True))
        return replace(job, counts=reduce(Counts.plus, parts, Counts()))

    def _take_lock(self, job: RelabelJob, dead: RelabelJob | None) -> Operation:
        # Two requests at once both see no lock, or the same dead one: only the first to write finds it as it was.
        held = {} if dead is None else {":dead": dead.job_id, ":attempt": dead.attempt}
        put = {
            "TableName": self._table,
            "Item": to_item({"pk": job.model, "sk": _OPEN, "job_id": job.job_id, "attempt": job.attempt}),
            "ConditionExpression": "job_id = :dead AND attempt = :attempt" if held else _ABSENT,
        }
        return {"Put": {**put, "ExpressionAttributeValues": to_item(held)} if held else put}

    def _release_lock(self, job: RelabelJob) -> Operation:
        return {
            "Delete": {
                "TableName": self._table,
                "Key": to_item({"pk": job.model, "sk": _OPEN}),
                "ConditionExpression": "job_id = :id AND attempt = :attempt",
                "ExpressionAttributeValues": to_item({":id": job.job_id, ":attempt": job.attempt}),
            }
        }

    def _put_job(self, job: RelabelJob) -> Operation:
        return {
            "Put": {"TableName": self._table, "Item": to_item(job_to_item(job)), "ConditionExpression": _ABSENT},
        }

    def _reopen(self, job: RelabelJob) -> Operation:
        return self._update(
            job_key(job.model, job.job_id),
            "SET job_status = :running, attempt = :attempt, failures = :none REMOVE failure, finished_at",
            "attempt = :before AND job_status IN (:running, :failed, :stopped)",
            {
                ":running": JobStatus.RUNNING.value,
                ":failed": JobStatus.FAILED.value,
                ":stopped": JobStatus.STOPPED.value,
                ":attempt": job.attempt,
                ":before": job.attempt - 1,
                ":none": 0,
            },
        )

    def _end(self, job: RelabelJob, end: RelabelEnd) -> Operation:
        values = {
            ":status": end.status.value,
            ":at": format_time(end.at),
            ":running": JobStatus.RUNNING.value,
            ":attempt": job.attempt,
        }
        expression = "SET job_status = :status, finished_at = :at"
        if end.failure:
            expression += ", failure = :failure"
            values[":failure"] = end.failure
        return self._update(
            job_key(job.model, job.job_id), expression, "job_status = :running AND attempt = :attempt", values
        )

    def _update(self, key: dict[str, str], expression: str, condition: str, values: dict[str, Any]) -> Operation:
        return {
            "Update": {
                "TableName": self._table,
                "Key": to_item(key),
                "UpdateExpression": expression,
                "ConditionExpression": condition,
                "ExpressionAttributeValues": to_item(values),
            }
        }

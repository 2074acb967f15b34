"""Imports and replays in the models table."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.requests import from_item, query_all, to_item
from hindsight.core import compact_json
from hindsight.core.jobs import Job, JobKind, JobStatus
from hindsight.core.times import format_time, parse_time

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_FOR = timedelta(days=400)


class DynamoJobs:
    """One item a job; see ``hindsight.core.jobs.JobStore``."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client

    def start(self, job: Job) -> Job:
        """Store a new job; return the stored one if it was started before."""
        if self._put(job, ConditionExpression="attribute_not_exists(pk)"):
            return job
        return self.load(job.model, job.kind, job.job_id) or job

    def load(self, model: str, kind: JobKind, job_id: str) -> Job | None:
        """Return a job, None if there is none."""
        answer = self._client.get_item(
            TableName=self._table, Key=to_item({"pk": model, "sk": _sort_key(kind, job_id)}), ConsistentRead=True
        )
        return _from_item(answer["Item"]) if "Item" in answer else None

    def save(self, job: Job) -> bool:
        """Store a job that has moved on by one version; False if another worker was faster."""
        return self._put(
            job,
            ConditionExpression="job_version = :before",
            ExpressionAttributeValues=to_item({":before": job.version - 1}),
        )

    def newest(self, model: str, kind: JobKind, limit: int) -> list[Job]:
        """Return at most ``limit`` jobs, newest first."""
        found: list[Job] = []
        for row in query_all(
            self._client,
            TableName=self._table,
            KeyConditionExpression="pk = :model AND begins_with(sk, :jobs)",
            ExpressionAttributeValues=to_item({":model": model, ":jobs": _sort_key(kind, "")}),
            ScanIndexForward=False,
            # Whether an erasure of an entity is under way is read off this: one that was begun just now must be seen.
            ConsistentRead=True,
            PaginationConfig={"PageSize": limit},
        ):
            found.append(_from_row(row))
            if len(found) >= limit:
                break
        return found

    def _put(self, job: Job, **condition: Any) -> bool:
        try:
            self._client.put_item(TableName=self._table, Item=to_item(_to_row(job)), **condition)
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _sort_key(kind: JobKind, job_id: str) -> str:
    return f"{kind}#{job_id}"


def _to_row(job: Job) -> dict[str, Any]:
    return {
        "pk": job.model,
        "sk": _sort_key(job.kind, job.job_id),
        "kind": job.kind.value,
        "job_id": job.job_id,
        "at": format_time(job.at),
        "status": job.status.value,
        "job_version": job.version,
        **{name: compact_json.dumps(getattr(job, name)) for name in ("request", "checkpoint", "counts")},
        "expires_at": int((job.at + KEPT_FOR).timestamp()),
    }


def _from_row(row: dict[str, Any]) -> Job:
    return Job(
        kind=JobKind(row["kind"]),
        model=row["pk"],
        job_id=row["job_id"],
        at=parse_time(row["at"]),
        status=JobStatus(row["status"]),
        version=row["job_version"],
        request=compact_json.loads(row["request"]),
        checkpoint=compact_json.loads(row["checkpoint"]),
        counts=compact_json.loads(row["counts"]),
    )


def _from_item(item: dict[str, Any]) -> Job:
    return _from_row(from_item(item))

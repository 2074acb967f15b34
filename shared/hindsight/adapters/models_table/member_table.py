"""The index of datasets' rows in the models table, apart from the model's own items."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.requests import batch_get, batch_write, query_all, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoMembers:
    """One item a bucket; see ``hindsight.datasets.members.MemberStore``."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client

    def replace(self, model: str, dataset_id: str, buckets: Mapping[int, bytes]) -> None:
        """Store a dataset's buckets, then remove the older ones."""
        partition, named = _partition(model, dataset_id), {_name(bucket): held for bucket, held in buckets.items()}
        puts = [
            {"PutRequest": {"Item": to_item({"pk": partition, "sk": name, "entries": entries})}}
            for name, entries in named.items()
        ]
        batch_write(self._client, self._table, puts)
        self._delete(partition, (name for name in self._names(partition) if name not in named))

    def buckets(self, model: str, wanted: Mapping[str, int]) -> dict[str, bytes]:
        """Read one bucket of each of some datasets, a hundred a call."""
        datasets = {_partition(model, dataset_id): dataset_id for dataset_id in wanted}
        keys = [(partition, _name(wanted[dataset_id])) for partition, dataset_id in datasets.items()]
        found = batch_get(self._client, self._table, keys, consistent=False)
        return {datasets[row["pk"]]: row["entries"] for row in found}

    def forget(self, model: str, dataset_id: str) -> None:
        """Remove all buckets of a dataset."""
        partition = _partition(model, dataset_id)
        self._delete(partition, self._names(partition))

    def _names(self, partition: str) -> list[str]:
        rows = query_all(
            self._client,
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_item({":pk": partition}),
            ProjectionExpression="sk",
            ConsistentRead=True,
        )
        return [row["sk"] for row in rows]

    def _delete(self, partition: str, names: Iterable[str]) -> None:
        requests: list[Any] = [{"DeleteRequest": {"Key": to_item({"pk": partition, "sk": name})}} for name in names]
        batch_write(self._client, self._table, requests)


def _partition(model: str, dataset_id: str) -> str:
    return f"{model}#members#{dataset_id}"


def _name(bucket: int) -> str:
    return f"{bucket:06d}"

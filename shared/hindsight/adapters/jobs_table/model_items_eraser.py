"""The items of one model in a table, of any kind, removed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.requests import batch_write, scan_pages, to_item
from hindsight.adapters.jobs_table.job_keys import sort_key
from hindsight.adapters.models_table.configuration_table import CONFIGURATION
from hindsight.config.labels import MatchBy
from hindsight.privacy.stores import ErasedPage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Of predictions and feedback, of what shares a key, and of allowances.
_PREFIXES = ("", f"#{MatchBy.ENTITY.value}#", f"#{MatchBy.REFERENCE.value}#", "#allowance#")


class DynamoModelItemsEraser:
    """The eraser of one table; see ``hindsight.privacy.stores.ModelItemsEraser``.

    All partition keys of a model are its name, or begin with it and a #, which no name has, or with a # and the name of
    what its predictions share.
    """

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client

    def erase(self, model: str, job_id: str, after: str = "") -> Iterator[ErasedPage]:
        """Remove, page by page, all items of a model but its configuration's and those of one job."""
        within = {f":within{number}": f"{prefix}{model}#" for number, prefix in enumerate(_PREFIXES)}
        values = {**within, ":model": model, ":job": sort_key(job_id), ":configuration": CONFIGURATION}
        pages = scan_pages(
            self._client,
            after,
            TableName=self._table,
            ConsistentRead=True,
            FilterExpression=" OR ".join(f"begins_with(pk, {name})" for name in within)
            + " OR (pk = :model AND sk <> :job AND NOT begins_with(sk, :configuration))",
            ProjectionExpression="pk, sk",
            ExpressionAttributeValues=to_item(values),
        )
        for keys, following in pages:
            deletions: list[Any] = [{"DeleteRequest": {"Key": key}} for key in keys]
            batch_write(self._client, self._table, deletions)
            yield ErasedPage(len(deletions), following)

"""Digests of API keys in the models table, one item each, and the turn to read values."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hindsight.adapters.dynamodb.requests import batch_get, put, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# The name of a model never begins with #.
KEYS = "#api_keys"
# No key's id has a #.
_TURN = "#turn"
SECONDS_PER_TURN = 2.0


class DynamoKeyDigests:
    """Digests of API keys in the table; see ``hindsight.runtime.http.keyring.KeyDigests``."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table, self._client = table, client

    def known(self, key_ids: Sequence[str]) -> dict[str, bytes]:
        """Read the stored digests of some keys. Raises Unavailable."""
        keys = [(KEYS, key_id) for key_id in key_ids]
        items = batch_get(self._client, self._table, keys, consistent=True)
        return {item["sk"]: bytes.fromhex(item["digest"]) for item in items}

    def keep(self, key_id: str, digest: bytes) -> None:
        """Keep the digest of a key. Raises Unavailable."""
        item = {"pk": KEYS, "sk": key_id, "digest": digest.hex()}
        put(self._client, TableName=self._table, Item=to_item(item))

    def take_turn(self, now: float) -> bool:
        """Take the turn to read values, which one process of all has every few seconds. Raises Unavailable."""
        refused = put(
            self._client,
            TableName=self._table,
            Item=to_item({"pk": KEYS, "sk": _TURN, "next_at": now + SECONDS_PER_TURN}),
            ConditionExpression="attribute_not_exists(pk) OR next_at <= :now",
            ExpressionAttributeValues=to_item({":now": now}),
        )
        return refused is None

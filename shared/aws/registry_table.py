"""Versions, datasets and the serving pointer in the models table."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from shared import compact_json
from shared.aws.dynamodb import from_item, query_all, to_item, transact
from shared.errors import Conflict, NotFound, StaleRun
from shared.registry.moves import PointerStep
from shared.registry.pointer import Pointer, PointerMove
from shared.registry.version import DatasetRecord, VersionRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_POINTER = "pointer"
_TRIGGERS = "triggers"
_VERSION = "version#"
_DATASET = "dataset#"
_HISTORY = "history#"


class DynamoRegistry:
    """One model's registry is part of its item collection; see ``shared.registry.store.Registry``.

    Names of versions and datasets begin with their time, so that the sort key is their order. A record is one
    attribute of compact JSON: a metric may be smaller than DynamoDB's smallest number.
    """

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client

    def pointer(self, model: str) -> Pointer | None:
        """Return what serves, None before the first deployment."""
        item = self._get(model, _POINTER)
        return None if item is None else Pointer.from_json(item)

    def version(self, model: str, version: str) -> VersionRecord:
        """Return one version. Raises NotFound."""
        item = self._get(model, _VERSION + version)
        if item is None:
            raise NotFound(f"the model {model!r} has no version {version!r}")
        return VersionRecord.from_json(_record(item))

    def versions(self, model: str, limit: int) -> list[VersionRecord]:
        """Return at most ``limit`` versions, newest first."""
        return [VersionRecord.from_json(_record(item)) for item in self._newest(model, _VERSION, limit)]

    def put_version(self, model: str, record: VersionRecord) -> VersionRecord:
        """Store a version and return what is stored: of two records under one name the first stays."""
        return VersionRecord.from_json(self._put_once(model, _VERSION + record.version, record.to_json()))

    def dataset(self, model: str, dataset_id: str) -> DatasetRecord:
        """Return one dataset. Raises NotFound."""
        item = self._get(model, _DATASET + dataset_id)
        if item is None:
            raise NotFound(f"the model {model!r} has no dataset {dataset_id!r}")
        return DatasetRecord.from_json(_record(item))

    def datasets(self, model: str, limit: int) -> list[DatasetRecord]:
        """Return at most ``limit`` datasets, newest first."""
        return [DatasetRecord.from_json(_record(item)) for item in self._newest(model, _DATASET, limit)]

    def put_dataset(self, model: str, record: DatasetRecord) -> DatasetRecord:
        """Store a dataset and return what is stored: of two records under one id the first stays."""
        return DatasetRecord.from_json(self._put_once(model, _DATASET + record.dataset_id, record.to_json()))

    def move(self, model: str, sequence: int) -> PointerMove | None:
        """Return one move of the pointer, None if it has not moved that often."""
        item = self._get(model, _history_key(sequence))
        return None if item is None else PointerMove.from_json(item)

    def history(self, model: str, limit: int) -> list[PointerMove]:
        """Return at most ``limit`` moves of the pointer, newest first."""
        return [PointerMove.from_json(item) for item in self._newest(model, _HISTORY, limit)]

    def move_pointer(self, model: str, step: PointerStep, *, fencing_token: int | None = None) -> Pointer:
        """Move the pointer and append the move, both or neither. Raises Conflict, StaleRun."""
        pointer = step.pointer
        operations = [self._put_pointer(model, pointer), self._put_move(model, step.move)]
        if fencing_token is not None:
            operations.append(self._require_lock(model, fencing_token))
        refused = transact(self._client, operations)
        if refused is None:
            return pointer
        if fencing_token is not None and refused[-1] is not None:
            raise StaleRun(f"the run no longer holds the lock of {model!r}")
        raise Conflict(f"the pointer of {model!r} has moved meanwhile")

    def _put_pointer(self, model: str, pointer: Pointer) -> "TransactWriteItemTypeDef":
        # Two runs, or a run and a rollback, read the same pointer: only the first to write finds it where it was.
        condition: dict[str, Any] = (
            {"ConditionExpression": "attribute_not_exists(pk)"}
            if pointer.sequence == 1
            else {
                "ConditionExpression": "#sequence = :before",
                "ExpressionAttributeNames": {"#sequence": "sequence"},
                "ExpressionAttributeValues": to_item({":before": pointer.sequence - 1}),
            }
        )
        put: dict[str, Any] = {
            "TableName": self._table,
            "Item": to_item({"pk": model, "sk": _POINTER, **pointer.to_json()}),
        }
        operation: Any = {"Put": {**put, **condition}}
        return operation  # type: ignore[no-any-return]

    def _put_move(self, model: str, move: PointerMove) -> "TransactWriteItemTypeDef":
        item = to_item({"pk": model, "sk": _history_key(move.sequence), **move.to_json()})
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    def _require_lock(self, model: str, fencing_token: int) -> "TransactWriteItemTypeDef":
        # A run whose lease expired may still be working; the run that took over holds a higher token.
        return {
            "ConditionCheck": {
                "TableName": self._table,
                "Key": to_item({"pk": model, "sk": _TRIGGERS}),
                "ConditionExpression": "open_run.fencing_token = :token",
                "ExpressionAttributeValues": to_item({":token": fencing_token}),
            }
        }

    def _put_once(self, model: str, sort_key: str, record: dict[str, Any]) -> dict[str, Any]:
        item = {"pk": model, "sk": sort_key, "record": compact_json.dumps(record)}
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(item),
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            found: Any = error.response.get("Item")
            return _record(from_item(found) if found else self._get(model, sort_key) or item)
        return record

    def _newest(self, model: str, prefix: str, limit: int) -> Iterator[dict[str, Any]]:
        found = query_all(
            self._client,
            TableName=self._table,
            KeyConditionExpression="pk = :model AND begins_with(sk, :prefix)",
            ExpressionAttributeValues=to_item({":model": model, ":prefix": prefix}),
            ScanIndexForward=False,
            PaginationConfig={"PageSize": max(1, limit)},
        )
        return islice(found, limit)

    def _get(self, model: str, sort_key: str) -> dict[str, Any] | None:
        answer = self._client.get_item(
            TableName=self._table, Key=to_item({"pk": model, "sk": sort_key}), ConsistentRead=True
        )
        return from_item(answer["Item"]) if "Item" in answer else None


def _record(item: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = compact_json.loads(item["record"])
    return record


def _history_key(sequence: int) -> str:
    return f"{_HISTORY}{sequence:08d}"

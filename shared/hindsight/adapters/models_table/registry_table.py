"""Versions, datasets and the serving pointer in the models table."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.requests import from_item, query_all, to_item, transact
from hindsight.core import compact_json
from hindsight.core.errors import Conflict, NotFound, StaleRun
from hindsight.core.times import format_time
from hindsight.registry.moves import PointerStep
from hindsight.registry.pointer import Pointer, PointerMove
from hindsight.registry.version import DatasetRecord, VersionRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_POINTER = "pointer"
_TRIGGERS = "triggers"
_VERSION = "version#"
_DATASET = "dataset#"
_HISTORY = "history#"


class DynamoRegistry:
    """One model's registry is part of its item collection; see ``hindsight.registry.store.Registry``.

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

    def rewrite_dataset(self, model: str, record: DatasetRecord) -> None:
        """Store what a dataset is after an erasure; that it has expired stays. Raises NotFound."""
        self.dataset(model, record.dataset_id)
        self._client.update_item(
            TableName=self._table,
            Key=to_item({"pk": model, "sk": _DATASET + record.dataset_id}),
            UpdateExpression="SET #record = :record",
            ExpressionAttributeNames={"#record": "record"},
            ExpressionAttributeValues=to_item({":record": compact_json.dumps(record.to_json())}),
        )

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
        named = [pointer.champion, *([pointer.trial.version] if pointer.trial else [])]
        operations = [
            self._put_pointer(model, pointer),
            self._put_move(model, step.move),
            *(self._require_kept(model, version) for version in named),
        ]
        if fencing_token is not None:
            operations.append(self._require_lock(model, fencing_token))
        refused = transact(self._client, operations)
        if refused is None:
            return pointer
        if fencing_token is not None and refused[-1] is not None:
            raise StaleRun(f"the run no longer holds the lock of {model!r}")
        expired = [version for version, found in zip(named, refused[2:], strict=False) if found is not None]
        if expired:
            raise Conflict(f"{expired[0]} has expired: its artefact is gone")
        raise Conflict(f"the pointer of {model!r} has moved meanwhile")

    def expire_version(self, model: str, version: str, at: datetime, pointer_sequence: int) -> bool:
        """Mark a version as expired while the pointer stands where it was seen; False if it has moved."""
        self.version(model, version)
        mark = self._mark_expired(model, _VERSION + version, at)
        return transact(self._client, [mark, self._require_place(model, pointer_sequence)]) is None

    def expire_dataset(self, model: str, dataset_id: str, at: datetime) -> None:
        """Mark a dataset as expired. Raises NotFound."""
        self.dataset(model, dataset_id)
        transact(self._client, [self._mark_expired(model, _DATASET + dataset_id, at)])

    def _mark_expired(self, model: str, sort_key: str, at: datetime) -> "TransactWriteItemTypeDef":
        return {
            "Update": {
                "TableName": self._table,
                "Key": to_item({"pk": model, "sk": sort_key}),
                "UpdateExpression": "SET expired_at = if_not_exists(expired_at, :at)",
                "ExpressionAttributeValues": to_item({":at": format_time(at)}),
            }
        }

    def _require_place(self, model: str, sequence: int) -> "TransactWriteItemTypeDef":
        # Whoever moves the pointer to a version checks that it has not expired; whoever expires one, that the pointer
        # has not moved. So neither can overlook the other.
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if sequence:
            condition = {
                "ConditionExpression": "#sequence = :seen",
                "ExpressionAttributeNames": {"#sequence": "sequence"},
                "ExpressionAttributeValues": to_item({":seen": sequence}),
            }
        check: Any = {"TableName": self._table, "Key": to_item({"pk": model, "sk": _POINTER}), **condition}
        return {"ConditionCheck": check}

    def _require_kept(self, model: str, version: str) -> "TransactWriteItemTypeDef":
        return {
            "ConditionCheck": {
                "TableName": self._table,
                "Key": to_item({"pk": model, "sk": _VERSION + version}),
                "ConditionExpression": "attribute_not_exists(expired_at)",
            }
        }

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
            # Where a rollback leads is read off the history: one that lacks the last move would lead too far back.
            ConsistentRead=True,
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
    # The record never changes; that its artefact is gone stands beside it.
    return record | ({"expired_at": item["expired_at"]} if "expired_at" in item else {})


def _history_key(sequence: int) -> str:
    return f"{_HISTORY}{sequence:08d}"

"""Versions, datasets, the serving pointer and its deployments in the models table."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.model_items import ModelItems
from hindsight.adapters.dynamodb.requests import to_item, transact
from hindsight.core import compact_json
from hindsight.core.codec import Record
from hindsight.core.errors import Conflict, NotFound, StaleRun
from hindsight.core.times import format_time
from hindsight.registry.moves import PointerStep
from hindsight.registry.pointer import DeploymentRecord, Pointer
from hindsight.registry.version import DatasetRecord, VersionRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_POINTER = "pointer"
_TRIGGERS = "triggers"
_VERSION = "version#"
_DATASET = "dataset#"
_DEPLOYMENT = "deployment#"


class DynamoRegistry:
    """One model's registry is part of its item collection; see ``hindsight.registry.store.Registry``.

    Names of versions and datasets begin with their time, so that the sort key is their order. A record is one
    attribute of compact JSON: a metric may be smaller than DynamoDB's smallest number.
    """

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client
        self._items = ModelItems(table, client)

    def pointer(self, model: str) -> Pointer | None:
        """Read the serving pointer, None before the first deployment."""
        item = self._items.get(model, _POINTER)
        return None if item is None else Pointer.from_plain(item)

    def version(self, model: str, version: str) -> VersionRecord:
        """Read one version. Raises NotFound."""
        return VersionRecord.from_plain(self._read(model, _VERSION, version))

    def versions(self, model: str, limit: int, before: str | None = None) -> list[VersionRecord]:
        """List at most ``limit`` versions, newest first, older than the one named ``before``."""
        return [VersionRecord.from_plain(found) for found in self._newest(model, _VERSION, limit, before)]

    def put_version(self, model: str, record: VersionRecord) -> VersionRecord:
        """Store a version and return what is stored: of two records under one name the first stays."""
        return VersionRecord.from_plain(self._put_once(model, _VERSION + record.version, record))

    def describe_version(self, model: str, bare: VersionRecord, record: VersionRecord) -> VersionRecord:
        """Store what is known of a version of which nothing was; return what is stored: the first description stays."""
        self._items.put_if_version(
            model, _VERSION + record.version, _values(record), attribute="record", expected=_values(bare)["record"]
        )
        return self.version(model, record.version)

    def dataset(self, model: str, dataset_id: str) -> DatasetRecord:
        """Read one dataset. Raises NotFound."""
        return DatasetRecord.from_plain(self._read(model, _DATASET, dataset_id))

    def datasets(self, model: str, limit: int, before: str | None = None) -> list[DatasetRecord]:
        """List at most ``limit`` datasets, newest first, older than the one named ``before``."""
        return [DatasetRecord.from_plain(found) for found in self._newest(model, _DATASET, limit, before)]

    def put_dataset(self, model: str, record: DatasetRecord) -> DatasetRecord:
        """Store a dataset and return what is stored: of two records under one id the first stays."""
        return DatasetRecord.from_plain(self._put_once(model, _DATASET + record.dataset_id, record))

    def rewrite_dataset(self, model: str, record: DatasetRecord) -> None:
        """Store what a dataset is after an erasure; that it has expired stays. Raises NotFound."""
        self.dataset(model, record.dataset_id)
        self._items.write([self._items.set(model, _DATASET + record.dataset_id, _values(record))])

    def deployment(self, model: str, sequence: int) -> DeploymentRecord | None:
        """Read one deployment, None if the pointer has not moved that often."""
        item = self._items.get(model, _deployment_key(sequence))
        return None if item is None else DeploymentRecord.from_plain(item)

    def deployments(self, model: str, limit: int, before: int | None = None) -> list[DeploymentRecord]:
        """List at most ``limit`` deployments, newest first, of sequences below ``before``.

        Consistently: rollback candidates are found from them, and without the last one they would reach too far back.
        """
        key = None if before is None else _deployment_key(before)
        return [DeploymentRecord.from_plain(item) for item in self._items.newest(model, _DEPLOYMENT, limit, key)]

    def move_pointer(self, model: str, step: PointerStep, *, fencing_token: int | None = None) -> Pointer:
        """Move the pointer and append the deployment, both or neither. Raises Conflict, StaleRun."""
        pointer, deployment = step.pointer, step.deployment
        named = [pointer.champion, *([pointer.rollout.version] if pointer.rollout else [])]
        operations: list[TransactWriteItemTypeDef] = [
            # Two runs, or a run and a rollback, read the same pointer: only the first to write finds it where it was.
            self._items.versioned(
                model, _POINTER, pointer.to_plain(), attribute="sequence", expected=pointer.sequence - 1
            ),
            self._items.once(model, _deployment_key(deployment.sequence), deployment.to_plain()),
            *(self._require(model, _VERSION + version, "attribute_not_exists(expired_at)") for version in named),
        ]
        if fencing_token is not None:
            # A run whose lease expired may still be working; the run that took over holds a higher token.
            held = "open_run.fencing_token = :token"
            operations.append(self._require(model, _TRIGGERS, held, {":token": fencing_token}))
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
        """Mark a version as expired while the pointer is where it was seen; False if it has moved."""
        self.version(model, version)
        # A move of the pointer to a version requires that it has not expired; its expiry, that the pointer has not
        # moved. So neither can overlook the other.
        unmoved = (
            self._require(model, _POINTER, "#sequence = :seen", {":seen": pointer_sequence}, {"#sequence": "sequence"})
            if pointer_sequence
            else self._require(model, _POINTER, "attribute_not_exists(pk)")
        )
        return self._items.write([self._mark_expired(model, _VERSION + version, at), unmoved])

    def expire_dataset(self, model: str, dataset_id: str, at: datetime) -> None:
        """Mark a dataset as expired. Raises NotFound."""
        self.dataset(model, dataset_id)
        self._items.write([self._mark_expired(model, _DATASET + dataset_id, at)])

    def _read(self, model: str, kind: str, name: str) -> dict[str, Any]:
        item = self._items.get(model, kind + name)
        if item is None:
            raise NotFound(f"the model {model!r} has no {kind.removesuffix('#')} {name!r}")
        return _record(item)

    def _newest(self, model: str, kind: str, limit: int, before: str | None) -> list[dict[str, Any]]:
        key = None if before is None else kind + before
        return [_record(item) for item in self._items.newest(model, kind, limit, key)]

    def _put_once(self, model: str, sort_key: str, record: Record) -> dict[str, Any]:
        values = _values(record)
        found = self._items.put_once(model, sort_key, values)
        return _record(values if found is None else found or self._items.get(model, sort_key) or values)

    def _mark_expired(self, model: str, sort_key: str, at: datetime) -> "TransactWriteItemTypeDef":
        return {
            "Update": {
                "TableName": self._table,
                "Key": to_item({"pk": model, "sk": sort_key}),
                "UpdateExpression": "SET expired_at = if_not_exists(expired_at, :at)",
                "ExpressionAttributeValues": to_item({":at": format_time(at)}),
            }
        }

    def _require(
        self,
        model: str,
        sort_key: str,
        condition: str,
        values: dict[str, Any] | None = None,
        names: dict[str, str] | None = None,
    ) -> "TransactWriteItemTypeDef":
        check: Any = {
            "TableName": self._table,
            "Key": to_item({"pk": model, "sk": sort_key}),
            "ConditionExpression": condition,
            **({"ExpressionAttributeValues": to_item(values)} if values else {}),
            **({"ExpressionAttributeNames": names} if names else {}),
        }
        return {"ConditionCheck": check}


def _values(record: Record) -> dict[str, Any]:
    return {"record": compact_json.dumps(record.to_plain())}


def _record(item: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = compact_json.loads(item["record"])
    # The record never changes; that its artefact is gone is an attribute beside it.
    return record | ({"expired_at": item["expired_at"]} if "expired_at" in item else {})


def _deployment_key(sequence: int) -> str:
    return f"{_DEPLOYMENT}{sequence:08d}"

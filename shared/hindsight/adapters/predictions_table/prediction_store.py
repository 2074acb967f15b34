"""Predictions in DynamoDB, each id once."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.requests import MAX_ITEM_BYTES, MAX_TRANSACTION, item_bytes, put, to_item, transact
from hindsight.adapters.predictions_table.prediction_items import due_shard, prediction_from_item, prediction_to_item
from hindsight.core.batches import batches
from hindsight.core.errors import TooLarge, Unavailable
from hindsight.entities.prediction import Prediction
from hindsight.ingestion.prediction_store import DueAt, SavedPrediction, SaveOutcome, when_outcome_is_due
from hindsight.labels.resolve import shifted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Pending = dict[int, dict[str, Any]]

_NOTHING_THERE = "attribute_not_exists(pk)"
_PLACEHOLDER_UNCHANGED = "is_placeholder = :is_placeholder AND revision = :revision"
_MAX_TRANSACTION_BYTES = 3_500_000
# What joins add to a head: when it was resolved, its newest label, how likely its review was; and the condition.
_LATER_BYTES = 4_000
_ROUNDS = 6


class DynamoPredictions:
    """The heads of the item collections; see ``hindsight.ingestion.prediction_store.PredictionStore``.

    One prediction is one conditional put. Several share transactions: twice the write units, but one round trip for
    a hundred, and an id already taken is seen without reading first.
    """

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client

    def save(
        self, predictions: Sequence[Prediction], retention: timedelta, due_at: DueAt = when_outcome_is_due
    ) -> list[SavedPrediction]:
        """Store predictions, all durably, and report what became of each, in order.

        Raises TooLarge, and stores nothing, if one does not fit into an item; Unavailable.
        """
        saved: dict[int, SavedPrediction] = {}
        pending: Pending = {
            position: prediction_to_item(
                prediction, int(shifted(prediction.received_at, retention).timestamp()), due_at(prediction)
            )
            for position, prediction in enumerate(predictions)
        }
        _require_room(predictions, pending)
        for _ in range(_ROUNDS):
            if not pending:
                return [saved[position] for position in range(len(predictions))]
            waiting = list(pending.items())
            for chunk in batches(
                waiting, lambda entry: _size(entry[1]), room=_MAX_TRANSACTION_BYTES, most=MAX_TRANSACTION
            ):
                for position, result in self._write(predictions, dict(chunk)).items():
                    saved[position] = result
                    del pending[position]
        raise Unavailable("the predictions could not be stored in time; send them again")

    def _write(self, predictions: Sequence[Prediction], chunk: Pending) -> dict[int, SavedPrediction]:
        """Write a chunk and return what is settled; the others meet a changed table and are to be written again."""
        found = self._put(list(chunk.values()))
        if found is None:
            return {
                position: SavedPrediction(SaveOutcome.STORED, predictions[position], bool(item.get("feedback_count")))
                for position, item in chunk.items()
            }
        settled: dict[int, SavedPrediction] = {}
        for (position, item), existing in zip(chunk.items(), found, strict=True):
            if existing is None:
                continue
            if existing.get("erased"):
                settled[position] = SavedPrediction(SaveOutcome.CONFLICT, predictions[position], is_erased=True)
            elif existing.get("is_placeholder"):
                # Due at once: should we stop before the feedback that waits is joined, the next sweep joins it.
                due = {"due_at": item["received_at"], "due_shard": due_shard(item["model"], item["prediction_id"])}
                carried = {name: existing[name] for name in ("revision", "feedback_count")}
                item.update(carried, **due, replaced_placeholder=True)
            elif existing:
                settled[position] = _compare(existing, predictions[position])
            else:
                item.update(revision=0, feedback_count=0, replaced_placeholder=None)
        return settled

    def _put(self, items: list[dict[str, Any]]) -> list[dict[str, Any] | None] | None:
        if len(items) > 1:
            return transact(self._client, [{"Put": self._put_request(item)} for item in items])
        found = put(self._client, **self._put_request(items[0]))
        return None if found is None else [found]

    def _put_request(self, item: dict[str, Any]) -> Any:
        request: dict[str, Any] = {
            "TableName": self._table,
            "Item": to_item(item),
            "ConditionExpression": _NOTHING_THERE,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if item.get("replaced_placeholder"):
            # Feedback that comes in this very moment moves the placeholder's revision: then the put is tried again.
            request["ConditionExpression"] = _PLACEHOLDER_UNCHANGED
            request["ExpressionAttributeValues"] = to_item({":is_placeholder": True, ":revision": item["revision"]})
        return request


def _compare(item: dict[str, Any], sent: Prediction) -> SavedPrediction:
    existing, feedback_waits = prediction_from_item(item), bool(item.get("replaced_placeholder"))
    same = existing.body_digest == sent.body_digest
    return SavedPrediction(SaveOutcome.UNCHANGED if same else SaveOutcome.CONFLICT, existing, feedback_waits)


def _require_room(predictions: Sequence[Prediction], pending: Pending) -> None:
    for position, item in pending.items():
        if (size := _size(item)) > MAX_ITEM_BYTES:
            name = predictions[position].prediction_id
            message = f"the prediction {name!r} takes {size} bytes, more than the {MAX_ITEM_BYTES} that can be kept"
            raise TooLarge(message)


def _size(item: dict[str, Any]) -> int:
    return item_bytes(to_item(item)) + _LATER_BYTES

"""Feedback, labels and the state of the join as items of the predictions table, and back."""

from collections.abc import Mapping
from typing import Any

from hindsight.adapters.dynamodb.attributes import from_attributes, to_attributes, unpack
from hindsight.adapters.predictions_table.prediction_items import due_shard, head_key, partition_key
from hindsight.core.times import format_time
from hindsight.entities.feedback import Feedback
from hindsight.entities.label import LabelRecord
from hindsight.entities.label_collection import Head
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.disposition import JoinedFeedback

FEEDBACK = "feedback#"
LABEL = "label#"
_TEXTS = ("value",)


def head_from_item(item: Mapping[str, Any]) -> Head:
    """Read the state of the join that a head holds, be it a prediction or a placeholder."""
    derived = {
        "key": PredictionKey(item["model"], item["prediction_id"]),
        "prediction": None if item.get("is_placeholder") else item,
        "rejoin": item.get("replaced_placeholder", False),
        "is_erased": item.get("erased", False),
    }
    return from_attributes(Head, {**item, **derived})


def placeholder_item(head: Head) -> dict[str, Any]:
    """Build the placeholder of a prediction whose feedback came first."""
    key = head.key
    return {
        **head_key(key),
        "model": key.model,
        "prediction_id": key.prediction_id,
        "is_placeholder": True,
        **join_state(head),
    }


def join_state(head: Head) -> dict[str, Any]:
    """List the attributes of a head that joins change; None means the attribute is to go."""
    return {
        "revision": head.revision,
        "feedback_count": head.feedback_count,
        "label_seq": head.label_seq,
        "resolved_as_of": format_time(head.resolved_as_of) if head.resolved_as_of else None,
        "due_shard": due_shard(head.key.model, head.key.prediction_id) if head.due_at else None,
        "due_at": format_time(head.due_at) if head.due_at else None,
        "expires_at": head.expires_at,
        "replaced_placeholder": True if head.rejoin else None,
    }


def feedback_to_item(key: PredictionKey, joined: JoinedFeedback, expires_at: int) -> dict[str, Any]:
    """Build the item of an event that is kept with a prediction."""
    event = joined.event
    return {
        "pk": partition_key(key),
        "sk": f"{FEEDBACK}{event.feedback_id}",
        **to_attributes(event, _TEXTS),
        "disposition": joined.disposition.value,
        "expires_at": expires_at,
    }


def feedback_from_item(item: Mapping[str, Any]) -> Feedback:
    """Read the event of an item."""
    return from_attributes(Feedback, item, _TEXTS)


def label_to_item(head: Head, record: LabelRecord) -> dict[str, Any]:
    """Build the item of one change of a prediction's label."""
    prediction, change = head.prediction, to_attributes(record)
    return {
        "pk": partition_key(head.key),
        "sk": f"{LABEL}{record.seq:08d}",
        "model": head.key.model,
        "prediction_id": head.key.prediction_id,
        **{name: value for name, value in change.items() if name != "label"},
        **to_attributes(record.label, _TEXTS),
        "occurred_at": format_time(prediction.occurred_at) if prediction else None,
        "outcome_due_at": format_time(prediction.outcome_due_at) if prediction else None,
        "expires_at": head.expires_at,
    }


def label_from_item(item: Mapping[str, Any]) -> LabelRecord:
    """Read the change of a label of an item."""
    label = {**item, **{name: unpack(item[name]) for name in _TEXTS if name in item}}
    return from_attributes(LabelRecord, {**item, "label": label})

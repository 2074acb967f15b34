"""Feedback, labels and the state of the join as items of the predictions table, and back."""

import json
from collections.abc import Mapping
from typing import Any

from hindsight.adapters.predictions_table.prediction_items import due_shard, head_key, partition_key
from hindsight.core import compact_json
from hindsight.core.times import format_time, parse_time
from hindsight.entities.feedback import Feedback
from hindsight.entities.label import Label, LabelRecord, LabelStatus
from hindsight.entities.label_collection import Head, PredictionTimes
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.disposition import JoinedFeedback

FEEDBACK = "feedback#"
LABEL = "label#"


def head_from_item(item: Mapping[str, Any]) -> Head:
    """Return the state of the join that a head holds, be it a prediction or a placeholder."""
    return Head(
        key=PredictionKey(item["model"], item["prediction_id"]),
        prediction=None if item.get("is_placeholder") else _times(item),
        revision=item["revision"],
        feedback_count=item["feedback_count"],
        label_seq=item.get("label_seq", 0),
        resolved_as_of=parse_time(item["resolved_as_of"]) if "resolved_as_of" in item else None,
        due_at=parse_time(item["due_at"]) if "due_at" in item else None,
        expires_at=item["expires_at"],
        rejoin=bool(item.get("replaced_placeholder")),
        is_erased=bool(item.get("erased")),
        entity_id=item.get("entity_id"),
    )


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
    """Return the attributes of a head that joins change; None means the attribute is to go."""
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


def feedback_to_item(joined: JoinedFeedback, expires_at: int) -> dict[str, Any]:
    """Return an event as an item."""
    event = joined.event
    return {
        "pk": partition_key(event.key),
        "sk": f"{FEEDBACK}{event.feedback_id}",
        "model": event.model,
        "prediction_id": event.prediction_id,
        "feedback_id": event.feedback_id,
        "name": event.name,
        "value": None if event.value is None else compact_json.dumps(event.value),
        "occurred_at": format_time(event.occurred_at),
        "received_at": format_time(event.received_at),
        "source": event.source,
        "body_digest": event.body_digest,
        "disposition": joined.disposition.value,
        "expires_at": expires_at,
    }


def feedback_from_item(item: Mapping[str, Any]) -> Feedback:
    """Return the event an item holds."""
    return Feedback(
        model=item["model"],
        prediction_id=item["prediction_id"],
        feedback_id=item["feedback_id"],
        name=item["name"],
        value=json.loads(item["value"]) if "value" in item else None,
        occurred_at=parse_time(item["occurred_at"]),
        received_at=parse_time(item["received_at"]),
        source=item.get("source"),
        body_digest=item["body_digest"],
    )


def label_to_item(head: Head, record: LabelRecord) -> dict[str, Any]:
    """Return one change of a prediction's label as an item."""
    label, prediction = record.label, head.prediction
    return {
        "pk": partition_key(head.key),
        "sk": f"{LABEL}{record.seq:08d}",
        "model": head.key.model,
        "prediction_id": head.key.prediction_id,
        "seq": record.seq,
        "status": label.status.value,
        "value": None if label.value is None else compact_json.dumps(label.value),
        "kind": label.kind,
        "event": label.event,
        "disagreeing": list(label.disagreeing) or None,
        "rules_revision": record.rules_revision,
        "known_at": format_time(record.known_at),
        "is_new": True if record.is_new else None,
        "occurred_at": format_time(prediction.occurred_at) if prediction else None,
        "outcome_due_at": format_time(prediction.outcome_due_at) if prediction else None,
        "expires_at": head.expires_at,
    }


def label_from_item(item: Mapping[str, Any]) -> LabelRecord:
    """Return the change of a label an item holds."""
    label = Label(
        value=json.loads(item["value"]) if "value" in item else None,
        status=LabelStatus(item["status"]),
        kind=item.get("kind"),
        event=item.get("event"),
        disagreeing=tuple(item.get("disagreeing", ())),
    )
    return LabelRecord(
        seq=item["seq"],
        label=label,
        rules_revision=item["rules_revision"],
        known_at=parse_time(item["known_at"]),
        is_new=bool(item.get("is_new")),
    )


def _times(item: Mapping[str, Any]) -> PredictionTimes:
    return PredictionTimes(
        parse_time(item["occurred_at"]), parse_time(item["received_at"]), parse_time(item["outcome_due_at"])
    )

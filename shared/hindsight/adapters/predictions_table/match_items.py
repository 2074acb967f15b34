"""Events by entity or reference, and the entries of predictions that carry the same key, as items, and back."""

import json
import zlib
from collections.abc import Mapping
from typing import Any

from hindsight.adapters.dynamodb.attributes import from_attributes, to_attributes
from hindsight.config.labels import RETRACTED
from hindsight.core import compact_json
from hindsight.core.times import format_time, parse_time
from hindsight.entities.feedback import Feedback, MatchKey
from hindsight.labels.matching.recipients import Candidate
from hindsight.labels.matching.store import KeptEvent, KeyedPrediction, Place, Span

EVENT = "event#"
MOMENT = "at#"
ENTRY = "prediction#"
# An attribute for each event that withdraws another one, named by its id: two that come at once both stay.
RETRACTION = "retraction#"
# When other bodies of the id occurred that this one took the place of.
DISPLACED = "displaced"
# An event that waited for its first prediction as long as one may does so only once.
SETTLED = "settled"
WAITING_SHARDS = 8
_TEXTS = ("value",)
# Behind every id of a moment, and behind every moment.
_LAST_ID, _LAST_MOMENT = "$", "~"


def key_partition(key: MatchKey) -> str:
    """Build the partition key of what shares an entity or a reference.

    >>> from hindsight.config.labels import MatchBy
    >>> key_partition(MatchKey("churn", MatchBy.ENTITY, "customer-17"))
    '#entity#churn#customer-17'
    """
    return f"#{key.by.value}#{key.model}#{key.value}"


def event_key(key: MatchKey, feedback_id: str) -> dict[str, str]:
    """Build the table's key of an event by its id."""
    return {"pk": key_partition(key), "sk": f"{EVENT}{feedback_id}"}


def event_attributes(event: Feedback) -> dict[str, Any]:
    """Build the attributes of an event as its key keeps it."""
    return to_attributes(event, _TEXTS)


def moment_item(event: Feedback, expires_at: int) -> dict[str, Any]:
    """Build the item by which an event is found by its time."""
    place = Place(event.occurred_at, event.feedback_id)
    return {
        "pk": key_partition(event.match_key),
        "sk": _sort_key(place),
        "model": event.model,
        "expires_at": expires_at,
    }


def entry_item(entry: KeyedPrediction) -> dict[str, Any]:
    """Build the entry of a prediction under one of its keys."""
    candidate = entry.candidate
    return {
        "pk": key_partition(entry.key),
        "sk": f"{ENTRY}{format_time(candidate.occurred_at)}#{candidate.prediction_id}",
        "model": entry.key.model,
        "received_at": format_time(candidate.received_at),
        "expires_at": entry.expires_at,
    }


def candidate_from_item(item: Mapping[str, Any]) -> Candidate:
    """Read the prediction of an entry."""
    moment, _, prediction_id = item["sk"].removeprefix(ENTRY).partition("#")
    return Candidate(parse_time(moment), prediction_id, parse_time(item["received_at"]))


def place_of(item: Mapping[str, Any]) -> Place:
    """Read the place of an event from the item by which it is found by its time."""
    moment, _, feedback_id = item["sk"].removeprefix(MOMENT).partition("#")
    return Place(parse_time(moment), feedback_id)


def kept_from_item(item: Mapping[str, Any]) -> KeptEvent | None:
    """Read an event with what withdraws it, None where only the latter has come so far."""
    if "name" not in item:
        return None
    event = from_attributes(Feedback, item, _TEXTS)
    texts = (value for name, value in sorted(item.items()) if name.startswith(RETRACTION))
    withdrawing = tuple(Feedback.from_plain(json.loads(text)) for text in texts)
    displaced = tuple(parse_time(moment) for moment in item.get(DISPLACED, ()))
    return KeptEvent(event, () if event.name == RETRACTED else withdrawing, displaced)


def retraction_text(event: Feedback) -> str:
    """Write a retraction as the event that it withdraws keeps it."""
    return compact_json.dumps(event.to_plain())


def waiting_shard(event: Feedback) -> str:
    """Compute the partition of the ``due`` index in which an event waits for its first prediction."""
    return f"{event.model}#waiting#{zlib.crc32(event.feedback_id.encode()) % WAITING_SHARDS}"


def behind(place: Place) -> str:
    """Build the first sort key behind an event's; no id has a control character."""
    return f"{_sort_key(place)}\x01"


def _sort_key(place: Place) -> str:
    return f"{MOMENT}{format_time(place.occurred_at)}#{place.feedback_id}"


def bounds(prefix: str, span: Span) -> dict[str, str]:
    """Build the bounds of the sort keys of a span, both moments included."""
    first = "" if span.since is None else format_time(span.since)
    last = _LAST_MOMENT if span.until is None else f"{format_time(span.until)}{_LAST_ID}"
    return {":first": f"{prefix}{first}", ":last": f"{prefix}{last}"}

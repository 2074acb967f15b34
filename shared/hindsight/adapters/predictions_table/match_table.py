"""Events and predictions by the keys they share, in the predictions table."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from hindsight.adapters.dynamodb.requests import (
    at_once,
    back_off,
    batch_get,
    batch_write,
    from_item,
    put,
    query_pages,
    to_item,
    unavailable_if_busy,
)
from hindsight.adapters.predictions_table.label_items import FEEDBACK, feedback_from_item
from hindsight.adapters.predictions_table.match_items import (
    DISPLACED,
    ENTRY,
    MOMENT,
    RETRACTION,
    SETTLED,
    WAITING_SHARDS,
    behind,
    bounds,
    candidate_from_item,
    entry_item,
    event_attributes,
    event_key,
    kept_from_item,
    key_partition,
    moment_item,
    place_of,
    retraction_text,
    waiting_shard,
)
from hindsight.adapters.predictions_table.prediction_items import key_of_partition, partition_key
from hindsight.config.labels import RETRACTED
from hindsight.core.errors import Unavailable
from hindsight.core.retry import Overtaken, optimistic
from hindsight.core.times import format_time
from hindsight.entities.feedback import Feedback, MatchKey
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.matching.recipients import MOST_CANDIDATES, Candidate
from hindsight.labels.matching.store import Arrival, KeptEvent, KeyedPrediction, Place, Span
from hindsight.labels.resolve import delivery_order, shifted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DUE_INDEX = "due"
# Most events ask for one prediction and find it among the first few, which are one read unit. Who goes on gets all that
# are ever looked at by one more read: a dozen one after another would take longer than the join.
_FIRST_ENTRIES = 25
_FURTHER_ENTRIES = MOST_CANDIDATES - _FIRST_ENTRIES
_PAGE_OF_EVENTS = 300
_MAX_ATTEMPTS = 8
_WAITS_STILL = f" AND attribute_not_exists({SETTLED})"
_APPENDED = f"list_append(if_not_exists({DISPLACED}, :none), :displaced)"


class DynamoMatches:
    """Events and predictions by shared keys; see ``hindsight.labels.matching.store.MatchStore``.

    An event is two items: itself, under its id, and where it is found by its time. The first is written first, and
    the second again with every delivery, so that one that stops between them is finished by the next. All reads are
    consistent: of an event and a prediction that come at once, each written before it looks for the other.
    """

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client

    def keep(self, events: Sequence[Feedback], retention: timedelta) -> list[Arrival]:
        """Keep events with different ids for a time, all durably, and say how each stands, in order.

        Raises Unavailable.
        """
        return list(at_once(partial(self._keep, retention=retention), events))

    def _keep(self, event: Feedback, retention: timedelta) -> Arrival:
        arrival = optimistic(
            lambda: self._attempt(event, int(shifted(event.received_at, retention).timestamp())),
            otherwise=Unavailable("other workers keep changing the same event; try again"),
            pause=back_off,
            max_attempts=_MAX_ATTEMPTS,
        )
        kept = arrival.kept.event
        expires_at = int(shifted(kept.received_at, retention).timestamp())
        if kept.name == RETRACTED:
            self._note_retraction(kept, expires_at)
        else:
            put(self._client, TableName=self._table, Item=to_item(moment_item(kept, expires_at)))
        return arrival

    def _attempt(self, event: Feedback, expires_at: int) -> Arrival:
        item = {**event_key(event.match_key, event.feedback_id), **event_attributes(event), "expires_at": expires_at}
        found = put(
            self._client,
            TableName=self._table,
            Item=to_item(item),
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        if found is None:
            return Arrival(KeptEvent(event))
        known = kept_from_item(found)
        if known is None:
            self._replace(event, "attribute_not_exists(body_digest)", {})
        elif delivery_order(event) < delivery_order(known.event):
            self._displace(event, known.event)
        else:
            refused = event if event.body_digest != known.event.body_digest else None
            return Arrival(known, known.event, refused)
        retractions = (kept_from_item({**found, **item}) or KeptEvent(event)).retractions
        if known is None:
            return Arrival(KeptEvent(event, retractions))
        if known.event.body_digest == event.body_digest:
            return Arrival(KeptEvent(event, retractions, known.displaced), known.event)
        displaced = (*known.displaced, known.event.occurred_at)
        return Arrival(KeptEvent(event, retractions, displaced), known.event, known.event)

    def _displace(self, event: Feedback, known: Feedback) -> None:
        """Write an event over a later delivery of its id. Raises Overtaken where that has changed."""
        before: dict[str, Any] = {":digest": known.body_digest, ":received": format_time(known.received_at)}
        condition = "body_digest = :digest AND received_at = :received"
        if known.body_digest == event.body_digest:
            self._replace(event, condition, before)
            return
        if known.name == RETRACTED:
            # First: one that stops here finds the same to do when it comes again.
            self._forget_retraction(known)
        moments = {":displaced": [format_time(known.occurred_at)], ":none": []}
        self._replace(event, condition, before | moments, f", {DISPLACED} = {_APPENDED}")

    def _replace(self, event: Feedback, condition: str, values: dict[str, Any], also: str = "") -> None:
        """Write an event over what its id has, retractions excepted. Raises Overtaken where that has changed."""
        attributes = event_attributes(event)
        absent = [name for name in ("value", "source", SETTLED) if name not in attributes]
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in attributes) + also
        expression += " REMOVE " + ", ".join(f"#{name}" for name in absent) if absent else ""
        try:
            self._update(
                event,
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeNames={f"#{name}": name for name in (*attributes, *absent)},
                ExpressionAttributeValues=to_item({f":{name}": value for name, value in attributes.items()} | values),
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise Overtaken from error

    def _note_retraction(self, retraction: Feedback, expires_at: int) -> None:
        """Note with the event a retraction withdraws, be it there or not, that it does."""
        values = {":text": retraction_text(retraction), ":model": retraction.model, ":expires": expires_at}
        with unavailable_if_busy(), _room_for_more():
            self._client.update_item(
                TableName=self._table,
                Key=to_item(event_key(retraction.match_key, str(retraction.value))),
                UpdateExpression="SET #text = :text, #model = :model, expires_at = if_not_exists(expires_at, :expires)",
                ExpressionAttributeNames={"#text": f"{RETRACTION}{retraction.feedback_id}", "#model": "model"},
                ExpressionAttributeValues=to_item(values),
            )

    def _forget_retraction(self, retraction: Feedback) -> None:
        """Forget a retraction whose place another body of its id takes."""
        with unavailable_if_busy():
            self._client.update_item(
                TableName=self._table,
                Key=to_item(event_key(retraction.match_key, str(retraction.value))),
                UpdateExpression="REMOVE #text",
                ExpressionAttributeNames={"#text": f"{RETRACTION}{retraction.feedback_id}"},
            )

    def enter(self, predictions: Sequence[KeyedPrediction]) -> None:
        """Enter predictions under their keys, all durably; again changes nothing. Raises Unavailable."""
        items = [to_item(entry_item(entry)) for entry in dict.fromkeys(predictions)]
        batch_write(self._client, self._table, [{"PutRequest": {"Item": item}} for item in items])

    def candidates(self, key: MatchKey, span: Span, *, newest_first: bool) -> Iterator[Candidate]:
        """Find the predictions of a key made within a span, in the order of their making, read as far as taken."""
        within, order = bounds(ENTRY, span), {"ScanIndexForward": not newest_first}
        first = next(self._pages(key, within, _FIRST_ENTRIES, **order), [])
        yield from map(candidate_from_item, first)
        if len(first) == _FIRST_ENTRIES:
            reached = to_item({"pk": key_partition(key), "sk": first[-1]["sk"]})
            for page in self._pages(key, within, _FURTHER_ENTRIES, ExclusiveStartKey=reached, **order):
                yield from map(candidate_from_item, page)

    def events(self, key: MatchKey, span: Span, after: Place | None = None) -> Iterator[list[KeptEvent]]:
        """Find the events of a key that occurred within a span, behind a place, page by page, without retractions."""
        found = bounds(MOMENT, span) if after is None else {**bounds(MOMENT, span), ":first": behind(after)}
        for page in self._pages(key, found, _PAGE_OF_EVENTS):
            places = set(map(place_of, page))
            kept = self._events(event_key(key, feedback_id) for _, feedback_id in places)
            # An event whose first delivery came later than another has been moved: its first place leads nowhere.
            theirs = [one for one in kept if (one.event.occurred_at, one.event.feedback_id) in places]
            if theirs:
                yield sorted(theirs, key=lambda one: (one.event.occurred_at, one.event.feedback_id))

    def has_events(self, key: MatchKey, span: Span) -> bool:
        """Check whether events of a key may have occurred within a span: one that was moved away answers too."""
        return any(self._pages(key, bounds(MOMENT, span), 1))

    def event(self, key: MatchKey, feedback_id: str) -> KeptEvent | None:
        """Find an event of a key by its id."""
        return next(iter(self._events([event_key(key, feedback_id)])), None)

    def copies(self, keys: Sequence[PredictionKey], feedback_id: str) -> dict[PredictionKey, Feedback]:
        """Find the copies of an event that some predictions have."""
        wanted = [(partition_key(key), f"{FEEDBACK}{feedback_id}") for key in keys]
        items = batch_get(self._client, self._table, wanted, consistent=True)
        return {key_of_partition(item["pk"]): feedback_from_item(item) for item in items}

    def wait(self, event: Feedback, until: datetime | None, *, again: bool = False) -> None:
        """Note until when an event waits for its first prediction, None if its wait is over.

        One whose wait is over waits no more, but ``again``.
        """
        request: dict[str, Any] = {
            "UpdateExpression": f"SET {SETTLED} = :yes REMOVE due_shard, due_at",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": to_item({":yes": True}),
        }
        if until is not None:
            values = {":shard": waiting_shard(event), ":until": format_time(until)}
            request = {
                "UpdateExpression": f"SET due_shard = :shard, due_at = :until REMOVE {SETTLED}",
                "ConditionExpression": "attribute_exists(pk)" + ("" if again else _WAITS_STILL),
                "ExpressionAttributeValues": to_item(values),
            }
        try:
            self._update(event, **request)
        except self._client.exceptions.ConditionalCheckFailedException:
            # It has expired or was erased, or no prediction came for it before.
            return

    def waited(self, model: str, now: datetime) -> Iterator[list[Feedback]]:
        """Find the events of a model whose wait is over by ``now``, page by page."""
        for shard in range(WAITING_SHARDS):
            pages = query_pages(
                self._client,
                TableName=self._table,
                IndexName=_DUE_INDEX,
                KeyConditionExpression="due_shard = :shard AND due_at <= :now",
                ExpressionAttributeValues=to_item({":shard": f"{model}#waiting#{shard}", ":now": format_time(now)}),
                PaginationConfig={"PageSize": _PAGE_OF_EVENTS},
            )
            for page in pages:
                if kept := self._events(from_item(item) for item in page["Items"]):
                    yield [one.event for one in kept]

    def _events(self, keys: Iterable[dict[str, Any]]) -> list[KeptEvent]:
        wanted = [(key["pk"], key["sk"]) for key in keys]
        items = batch_get(self._client, self._table, wanted, consistent=True)
        return [kept for item in items if (kept := kept_from_item(item)) is not None]

    def _pages(self, key: MatchKey, within: dict[str, str], size: int, **request: Any) -> Iterator[list[Any]]:
        if within[":first"] > within[":last"]:  # DynamoDB refuses a range that ends before it begins
            return
        pages = query_pages(
            self._client,
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues=to_item({":pk": key_partition(key), **within}),
            ConsistentRead=True,
            PaginationConfig={"PageSize": size},
            **request,
        )
        for page in pages:
            yield [from_item(item) for item in page["Items"]]

    def _update(self, event: Feedback, **request: Any) -> None:
        with unavailable_if_busy():
            key = to_item(event_key(event.match_key, event.feedback_id))
            self._client.update_item(TableName=self._table, Key=key, **request)


@contextmanager
def _room_for_more() -> Iterator[None]:
    """Pass over the refusal of an item that is full: hundreds of events withdraw this one already."""
    try:
        yield
    except ClientError as error:
        details = error.response.get("Error", {})
        if details.get("Code") != "ValidationException" or "size" not in details.get("Message", "").lower():
            raise

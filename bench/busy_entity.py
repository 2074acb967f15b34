"""The reads of a join by entity, of one with a short history and one with a long one: ``python -m bench.busy_entity``.

Single events are joined by the product's own joiner, through a real client, onto a table that is kept here, sorted as
DynamoDB keeps it: an emulator looks through the whole of a partition. What is counted are reads, which come one after
another; their time is reckoned.
"""

import json
import random
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from statistics import fmean
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.cost.meter import Call, bill_of
from bench.label_join import MODEL, START, WINDOW, revision
from bench.sleeping_account import answered_by
from bench.sleeping_table import NoLimits, OneModel
from hindsight.adapters.dynamodb.requests import at_once, to_item
from hindsight.adapters.predictions_table.label_store import DynamoLabels
from hindsight.adapters.predictions_table.match_items import entry_item, key_partition
from hindsight.adapters.predictions_table.match_table import DynamoMatches
from hindsight.adapters.predictions_table.prediction_items import HEAD, prediction_to_item
from hindsight.config.labels import Match, MatchBy
from hindsight.entities.feedback import Feedback, MatchKey
from hindsight.entities.prediction import Prediction
from hindsight.labels.joining.entity_limit import EntityLimits
from hindsight.labels.joining.feedback_join import FeedbackJoiner
from hindsight.labels.joining.join import LabelJoiner
from hindsight.labels.matching.matcher import KeyMatcher
from hindsight.labels.matching.recipients import Candidate
from hindsight.labels.matching.store import KeyedPrediction
from hindsight.quarantine.store import Quarantine
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.predictions.effects import InMemoryEffects

HISTORIES = (1_000, 100_000)
READ_SECONDS = 0.005
"""The time that a read is reckoned with: DynamoDB's are of single-digit milliseconds."""
_APART = timedelta(minutes=1)
_READS = {"Query", "BatchGetItem", "GetItem"}
_TABLE = "predictions"
_KEY = MatchKey(MODEL, MatchBy.ENTITY, "customer-17")


Item = dict[str, Any]


class SortedTable:
    """Item collections, each sorted; reads are counted, with the entries they found and the units they cost.

    ``make`` makes an item of its keys where none was put: a long history need not be held.
    """

    def __init__(self, make: Callable[[str, str], Item]) -> None:
        self._make = make
        self._keys: dict[str, list[str]] = {}
        self._items: dict[tuple[str, str], Item] = {}
        self.reads = self.entries = 0
        self.units = 0.0

    def hold(self, pk: str, sks: Iterable[str]) -> None:
        """Hold items under some sort keys, to be made when they are read."""
        self._keys[pk] = sorted(sks)

    def answer(self, operation: str, body: bytes) -> Any:
        """Answer a call. Of writes only puts are kept: all that the first join of an event reads again."""
        asked = json.loads(body)
        if operation not in _READS:
            self._write(asked)
            return {}
        answer = self._query(**asked) if operation == "Query" else self._batch_get(**asked)
        self.units += bill_of(Call("dynamodb", operation, asked, answer, succeeded=True), {})["read_units"]
        self.reads += 1
        self.entries += len(answer.get("Items", []))
        return answer

    def _write(self, asked: Item) -> None:
        puts = [asked, *(operation.get("Put", {}) for operation in asked.get("TransactItems", []))]
        for item in (put["Item"] for put in puts if "Item" in put):
            pk, sk = item["pk"]["S"], item["sk"]["S"]
            insort(self._keys.setdefault(pk, []), sk)
            self._items[pk, sk] = item

    def _query(self, **asked: Any) -> Item:
        values = {name: value["S"] for name, value in asked["ExpressionAttributeValues"].items()}
        keys, after = self._keys.get(values[":pk"], []), asked.get("ExclusiveStartKey", {}).get("sk", {}).get("S")
        first, last = bisect_left(keys, values[":first"]), bisect_right(keys, values[":last"])
        if asked.get("ScanIndexForward", True):
            places = range(first if after is None else bisect_right(keys, after), last)
        else:
            places = range((last if after is None else bisect_left(keys, after)) - 1, first - 1, -1)
        found = [self._item(values[":pk"], keys[place]) for place in places[: asked.get("Limit")]]
        if len(found) == len(places):
            return {"Items": found}
        return {"Items": found, "LastEvaluatedKey": {name: found[-1][name] for name in ("pk", "sk")}}

    def _batch_get(self, **asked: Any) -> Item:
        [(table, wanted)] = asked["RequestItems"].items()
        return {"Responses": {table: [self._item(key["pk"]["S"], key["sk"]["S"]) for key in wanted["Keys"]]}}

    def _item(self, pk: str, sk: str) -> Item:
        return self._items.get((pk, sk)) or self._make(pk, sk)


def measure(histories: Sequence[int] = HISTORIES, events: int = 50, seed: int = 7) -> dict[str, Any]:
    """Measure the reads of single joins, by the way of matching and the length of the entity's history."""
    joins = {
        f"{match.value} of {history}": _measured(match, history, events, seed)
        for match in Match
        for history in histories
    }
    reads = max(found["reads"] for found in joins.values())
    return {
        "busy_entity_reads": reads,
        "busy_entity_read_seconds": reads * READ_SECONDS,
        "read_seconds": READ_SECONDS,
        "events": events,
        "joins": joins,
    }


def _measured(match: Match, history: int, events: int, seed: int) -> dict[str, float]:
    """Join events at drawn places of a history, each by itself."""
    table, dice = SortedTable(_item_of), random.Random(seed)
    table.hold(key_partition(_KEY), _sort_keys(history))
    joiner = _joiner(answered_by("dynamodb", table.answer), match)
    reads, entries, units = list[int](), list[int](), list[float]()
    for number in range(events):
        before = table.reads, table.entries, table.units
        joiner.join([_event(number, START + dice.random() * history * _APART)])
        reads.append(table.reads - before[0])
        entries.append(table.entries - before[1])
        units.append(table.units - before[2])
    return {"reads": max(reads), "entries": max(entries), "mean_read_units": fmean(units)}


@cache
def _sort_keys(history: int) -> list[str]:
    return [entry_item(_entry(number))["sk"] for number in range(history)]


def _joiner(client: Any, match: Match) -> FeedbackJoiner:
    """Build the product's joiner of feedback on a table."""
    configurations: Any = OneModel(revision(by="entity", match=match.value))
    lake: Any = InMemoryLake()
    quarantine = Quarantine(lake)
    labels = LabelJoiner(
        DynamoLabels(_TABLE, client), quarantine, configurations, EntityLimits(NoLimits()), InMemoryEffects()
    )
    matcher = KeyMatcher(DynamoMatches(_TABLE, client), side_by_side=at_once)
    return FeedbackJoiner(labels, matcher, quarantine, configurations)


def _item_of(pk: str, sk: str) -> Item:
    """Make the entry of a prediction, or its head, of the number at the end of its id."""
    number = int((pk if sk == HEAD else sk).rpartition("-")[2])
    if sk == HEAD:
        return to_item(prediction_to_item(_prediction(number), 0, START))
    return to_item(entry_item(_entry(number)))


def _entry(number: int) -> KeyedPrediction:
    made = _prediction(number)
    return KeyedPrediction(_KEY, Candidate(made.occurred_at, made.prediction_id, made.received_at))


def _prediction(number: int) -> Prediction:
    moment = START + number * _APART
    return Prediction(
        model=MODEL,
        prediction_id=f"prediction-{number:08d}",
        features={"hour": "17"},
        score=0.5,
        decision=1,
        model_version="v1",
        entity_id=_KEY.value,
        occurred_at=moment,
        received_at=moment,
        outcome_due_at=moment + WINDOW,
        body_digest="0" * 32,
    )


def _event(number: int, occurred_at: datetime) -> Feedback:
    return Feedback(
        model=MODEL,
        entity_id=_KEY.value,
        feedback_id=f"feedback-{number:08d}",
        name="demand",
        value=120,
        occurred_at=occurred_at,
        received_at=occurred_at + timedelta(minutes=5),
        body_digest=f"{number:032d}",
    )


def main() -> None:
    """Measure and print a table."""
    found = measure()
    title = f"the most that one of {found['events']} joins took; a read is reckoned with {1000 * READ_SECONDS:g} ms"
    table = Table("match and predictions", "reads", "ms", "entries read", "read units in the mean", title=title)
    for name, row in found["joins"].items():
        cells = row["reads"], 1000 * READ_SECONDS * row["reads"], row["entries"], row["mean_read_units"]
        table.add_row(name, *(f"{cell:g}" for cell in cells))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()

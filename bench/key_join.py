"""The speed of joining labels by entity, without any table: lines that name an entity in, labels and join plans out.

The task is that of ``label_join``, but the lines name the entity of a prediction, and each entity has ten of them. An
event labels the last of them before it. A store in memory takes the place of the table's reads.
"""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bench.label_join import MODEL, Grouped, JoinTask, make_task, parsed, plan_all, resolve_all, revision
from hindsight.config.labels import MatchBy
from hindsight.core.batches import chunks
from hindsight.entities.feedback import Feedback, MatchKey
from hindsight.entities.prediction import PredictionKey
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.labels.matching.matcher import KeyMatcher
from hindsight.labels.matching.recipients import Candidate
from hindsight.labels.matching.store import Arrival, KeptEvent, Span
from hindsight.testing.predictions.label_store import InMemoryLabels
from hindsight.testing.predictions.match_store import InMemoryMatches

PREDICTIONS_AN_ENTITY = 10
# Lines that a worker joins at once.
_CHUNK = 1_000


class CandidatesInMemory(InMemoryMatches):
    """The predictions of each key, sorted, and the ids of events; nothing has been joined before."""

    def __init__(self, by_key: dict[MatchKey, tuple[list[datetime], list[Candidate]]]) -> None:
        super().__init__(InMemoryLabels())
        self.by_key = by_key
        self._known: dict[tuple[MatchKey, str], Feedback] = {}

    def keep(self, events: Sequence[Feedback], retention: timedelta) -> list[Arrival]:
        """Keep events, and find those that were kept before."""
        del retention
        return [self._arrival(event) for event in events]

    def _arrival(self, event: Feedback) -> Arrival:
        before = self._known.setdefault((event.match_key, event.feedback_id), event)
        return Arrival(KeptEvent(before), None if before is event else before)

    def candidates(self, key: MatchKey, span: Span, *, newest_first: bool) -> Iterator[Candidate]:
        """Find the predictions of a key made within a span."""
        moments, found = self.by_key[key]
        first = 0 if span.since is None else bisect_left(moments, span.since)
        last = len(found) if span.until is None else bisect_right(moments, span.until)
        return reversed(found[first:last]) if newest_first else iter(found[first:last])

    def copies(self, keys: Sequence[PredictionKey], feedback_id: str) -> dict[PredictionKey, Feedback]:
        """Find no copy: nothing has been joined."""
        del keys, feedback_id
        return {}

    def wait(self, event: Feedback, until: datetime | None, *, again: bool = False) -> None:
        """Let an event without a prediction go."""


def measure(predictions: int = 200_000, events: int = 400_000, seed: int = 7, rounds: int = 3) -> dict[str, Any]:
    """Measure events a second on one thread, the best of some rounds, for labels and whole plans."""
    made = make_key_task(predictions, events, seed)

    def speed(work: Callable[[JoinTask, Grouped], object]) -> float:
        return events / min(_seconds(work, made) for _ in range(rounds))

    return {
        "resolve_by_entity_events_per_second": round(speed(resolve_all)),
        "plan_by_entity_events_per_second": round(speed(plan_all)),
        "predictions_an_entity": PREDICTIONS_AN_ENTITY,
    }


def _seconds(work: Callable[[JoinTask, Grouped], object], made: "KeyTask") -> float:
    started = time.perf_counter()
    work(made.task, made.matched())
    return time.perf_counter() - started


@dataclass(frozen=True, slots=True)
class KeyTask:
    """A task whose lines name entities, and the predictions of each entity."""

    task: JoinTask
    by_key: dict[MatchKey, tuple[list[datetime], list[Candidate]]]

    def matched(self) -> Grouped:
        """Parse the lines, and match their events with predictions, a chunk at a time as a worker does."""
        matcher, found = KeyMatcher(CandidatesInMemory(self.by_key)), Grouped()
        for lines in chunks(self.task.lines, _CHUNK):
            for key, events in matcher.match_events(parsed(lines), self.task.revision).deliveries.items():
                found.setdefault(key, []).extend(events)
        return found


def make_key_task(predictions: int, events: int, seed: int) -> KeyTask:
    """Build the task of ``label_join`` with the entity in place of each prediction's id."""
    task = make_task(predictions, events, seed)
    by_key: dict[MatchKey, tuple[list[datetime], list[Candidate]]] = {}
    for key, times in task.predictions.items():
        shared = MatchKey(MODEL, MatchBy.ENTITY, _entity_of(key.prediction_id, predictions))
        moments, found = by_key.setdefault(shared, ([], []))
        moments.append(times.occurred_at)
        found.append(Candidate(times.occurred_at, key.prediction_id, times.received_at))
    lines = [feedback_line(_by_entity(event, predictions)) for event in parsed(task.lines)]
    return KeyTask(JoinTask(revision(by="entity"), task.predictions, lines, task.as_of), by_key)


def _by_entity(event: Feedback, predictions: int) -> Feedback:
    return event.replace(prediction_id=None, entity_id=_entity_of(event.key.prediction_id, predictions))


def _entity_of(prediction_id: str, predictions: int) -> str:
    """Compute whose a prediction is: those of an entity are spread over the whole time."""
    entities = max(1, predictions // PREDICTIONS_AN_ENTITY)
    return f"entity-{int(prediction_id.rpartition('-')[2]) % entities:08d}"

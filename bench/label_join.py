"""The speed of joining labels, without any store: lines of feedback in, labels and whole join plans out.

The task is a plain one on purpose: every prediction has a window, the last value in it counts, a fifth of the lines
are deliveries of events that were delivered before. The floor is a dictionary join without rules.
"""

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from hindsight.config.parse import parse_configuration
from hindsight.config.store import ConfigurationRevision
from hindsight.entities.feedback import Feedback
from hindsight.entities.label import Label
from hindsight.entities.label_collection import Collection, Head, PredictionTimes
from hindsight.entities.prediction import PredictionKey, body_digest
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.labels.joining.feedback_files import parse_feedback_line
from hindsight.labels.plan import MAX_EVENTS, plan_join
from hindsight.labels.resolve import resolve
from hindsight.labels.rules import rules_of

MODEL = "bike-demand"
START = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = timedelta(days=2)
DUPLICATES = 0.2

Grouped = dict[PredictionKey, list[Feedback]]


@dataclass(frozen=True, slots=True)
class JoinTask:
    """Predictions by key, and the lines of feedback about them in the order of their arrival."""

    revision: ConfigurationRevision
    predictions: dict[PredictionKey, PredictionTimes]
    lines: list[bytes]
    as_of: datetime


def make_task(predictions: int, events: int, seed: int) -> JoinTask:
    """Build a task of predictions and lines, a fifth of them repeated."""
    rng = random.Random(seed)
    times = {
        key: prediction_times(key)
        for key in (PredictionKey(MODEL, f"prediction-{number:08d}") for number in range(predictions))
    }
    keys = list(times)
    distinct = events - int(events * DUPLICATES)
    lines = [_line(rng, number, keys[rng.randrange(predictions)], times) for number in range(distinct)]
    lines += rng.choices(lines, k=events - distinct)
    rng.shuffle(lines)
    as_of = START + timedelta(seconds=predictions) + 3 * WINDOW
    return JoinTask(revision(), times, lines, as_of)


def prediction_times(key: PredictionKey) -> PredictionTimes:
    """Compute the times of a prediction of the task: one a second, by the number in its id."""
    moment = START + timedelta(seconds=int(key.prediction_id.rpartition("-")[2]))
    return PredictionTimes(moment, moment, moment + WINDOW)


def measure(predictions: int = 200_000, events: int = 400_000, seed: int = 7, rounds: int = 3) -> dict[str, Any]:
    """Measure events a second on one thread, the best of some rounds, for labels, whole plans and the floor."""
    task = make_task(predictions, events, seed)

    def speed(work: Callable[[JoinTask], object]) -> float:
        return events / min(_seconds(work, task) for _ in range(rounds))

    return {
        "resolve_events_per_second": round(speed(resolve_all)),
        "plan_events_per_second": round(speed(plan_all)),
        "floor_events_per_second": round(speed(floor)),
        "parse_events_per_second": round(speed(lambda task: parsed(task.lines))),
        "predictions": predictions,
        "events": events,
        "duplicates": DUPLICATES,
        "seed": seed,
    }


def resolve_all(task: JoinTask, found: Grouped | None = None) -> dict[PredictionKey, Label]:
    """Parse, deduplicate, window, resolve: the label of every prediction that has feedback."""
    rules = rules_of(task.revision)
    events_of = grouped(task.lines) if found is None else found
    return {key: resolve(task.predictions[key], events, rules, task.as_of) for key, events in events_of.items()}


def plan_all(task: JoinTask, found: Grouped | None = None) -> int:
    """Work out all that a join would write: dispositions, label history, the head's next state; return how much."""
    written = 0
    for key, events in (grouped(task.lines) if found is None else found).items():
        plan = plan_join(collection_of(key, task.predictions[key]), events[:MAX_EVENTS], task.revision)
        written += len(plan.feedback) + len(plan.records)
    return written


def floor(task: JoinTask) -> dict[str, object]:
    """Join with a dictionary: the last value by time within one window, each id once, and nothing else."""
    decode = msgspec.json.Decoder().decode
    seen: set[str] = set()
    last: dict[str, tuple[str, object]] = {}
    starts = {key.prediction_id: times.occurred_at for key, times in task.predictions.items()}
    for line in task.lines:
        row = decode(line)
        if row["feedback_id"] in seen:
            continue
        seen.add(row["feedback_id"])
        name, moment = row["prediction_id"], datetime.fromisoformat(row["occurred_at"])
        known = last.get(name)
        if timedelta(0) <= moment - starts[name] <= WINDOW and (known is None or row["occurred_at"] >= known[0]):
            last[name] = (row["occurred_at"], row["value"])
    return {name: value for name, (_, value) in last.items()}


def parsed(lines: Iterable[bytes]) -> list[Feedback]:
    """Parse the events of the lines that can be read."""
    return [event for line in lines if isinstance(event := parse_feedback_line(line), Feedback)]


def grouped(lines: Iterable[bytes]) -> Grouped:
    """Group the events of some lines by prediction."""
    found: Grouped = {}
    for event in parsed(lines):
        found.setdefault(event.key, []).append(event)
    return found


def _line(rng: random.Random, number: int, key: PredictionKey, times: dict[PredictionKey, PredictionTimes]) -> bytes:
    occurred_at = times[key].occurred_at + rng.random() * 1.5 * WINDOW
    value = rng.randrange(300)
    return feedback_line(
        Feedback(
            model=key.model,
            prediction_id=key.prediction_id,
            feedback_id=f"feedback-{number:08d}",
            name="demand",
            value=value,
            occurred_at=occurred_at,
            received_at=occurred_at + timedelta(minutes=rng.randrange(90)),
            source="meter",
            body_digest=body_digest({"number": number, "value": value}),
        )
    )


def collection_of(key: PredictionKey, times: PredictionTimes) -> Collection:
    """Build the collection of a prediction without any joined event."""
    head = Head(
        key=key,
        prediction=times,
        revision=0,
        feedback_count=0,
        label_seq=0,
        resolved_as_of=None,
        due_at=times.outcome_due_at,
        expires_at=0,
    )
    return Collection(key=key, head=head)


def revision(**rule: str) -> ConfigurationRevision:
    """Build the rules of the task, with what else its rule declares."""
    document = {
        "model": MODEL,
        "task": "binary",
        "features": {"hour": {"type": "categorical"}},
        "labels": {
            "rules": [
                {
                    "event": "demand",
                    "kind": "outcome",
                    "window": "P2D",
                    "aggregate": "last",
                    "positive": {"greater_than": 100},
                    **rule,
                }
            ]
        },
    }
    return ConfigurationRevision(1, parse_configuration(document))


def _seconds(work: Callable[[JoinTask], object], task: JoinTask) -> float:
    started = time.perf_counter()
    work(task)
    return time.perf_counter() - started

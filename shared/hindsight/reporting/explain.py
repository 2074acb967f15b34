"""The explanation of a label: a prediction, its feedback, and every label it had."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from hindsight.config.labels import RETRACTED
from hindsight.config.model import ModelConfiguration
from hindsight.core.times import format_time
from hindsight.entities.feedback import FOR_EVER, Feedback
from hindsight.entities.label import LabelRecord
from hindsight.entities.label_collection import Collection
from hindsight.entities.prediction import Prediction
from hindsight.labels.archiving.archive import prediction_row
from hindsight.labels.disposition import disposition
from hindsight.labels.rules import Rules, end_of, ready_rules

MAX_SHOWN = 500
T = TypeVar("T")

_OF_THE_CALL = frozenset({"model", "prediction_id", "body_digest", "given_until"})


def explain_labels(prediction: Prediction, collection: Collection, configuration: ModelConfiguration) -> dict[str, Any]:
    """Show a prediction, its newest feedback by time of receipt, and its newest labels by ``seq``, as JSON objects."""
    rules = ready_rules(configuration.labels, configuration.task)
    retracted = {event.value for event in collection.feedback if event.name == RETRACTED and rules.trusts(event)}
    return {
        "prediction": prediction_row(prediction),
        "feedback": [
            {
                **_shown_feedback(event, rules),
                "disposition": disposition(event, prediction, rules).value,
                "retracted": event.name != RETRACTED and event.feedback_id in retracted,
            }
            for event in _newest(collection.feedback, lambda event: (event.received_at, event.feedback_id))
        ],
        "feedback_total": len(collection.feedback),
        "labels": [_shown_label(record) for record in _newest(collection.labels, lambda record: record.seq)],
        "labels_total": len(collection.labels),
    }


def _newest(found: Iterable[T], moment: Callable[[T], Any]) -> list[T]:
    return sorted(found, key=moment)[-MAX_SHOWN:]


def _shown_feedback(event: Feedback, rules: Rules) -> dict[str, Any]:
    shown = {name: value for name, value in event.to_plain().items() if name not in _OF_THE_CALL}
    if event.prediction_id is None:
        ways = [rule.way for rule in rules.of_event(event.name) if rule.way is not None and rule.by is event.by]
        ends = [end_of(event, way) for way in ways] or list(event.given_until.values())
        until = max(ends, default=event.received_at)
        shown["until"] = None if until == FOR_EVER else format_time(until)
    return {"value": None, "source": None, **shown}


def _shown_label(record: LabelRecord) -> dict[str, Any]:
    change = record.to_plain()
    label = {"value": None, "kind": None, "event": None, "disagreeing": [], **change["label"]}
    return {name: change[name] for name in ("seq", "rules_revision", "known_at")} | label

"""The meaning of one event for its prediction's label."""

from dataclasses import dataclass
from enum import StrEnum

from hindsight.config.labels import EXPOSED, RETRACTED
from hindsight.entities.feedback import FOR_EVER, Feedback
from hindsight.labels.resolve import TimedPrediction, in_window, shifted
from hindsight.labels.rules import Rules, end_of


class Disposition(StrEnum):
    """The way in which an event was joined; kept with it, and counted."""

    IN_WINDOW = "in_window"
    LATE = "late"
    OUT_OF_WINDOW = "out_of_window"
    UNMATCHED_RULE = "unmatched_rule"
    RETRACTION = "retraction"
    EXPOSURE = "exposure"
    PENDING = "pending"
    EXCLUDED_SOURCE = "excluded_source"
    TAKEN_OVER = "taken_over"


@dataclass(frozen=True, slots=True)
class JoinedFeedback:
    """An event to keep, and its disposition."""

    event: Feedback
    disposition: Disposition


_RESERVED = {EXPOSED: Disposition.EXPOSURE, RETRACTED: Disposition.RETRACTION}


def disposition(event: Feedback, prediction: TimedPrediction | None, rules: Rules) -> Disposition:
    """Decide an event's disposition for a prediction; ``pending`` without one.

    Late is what occurred within a window but was received after it closed: it amends the label. With several rules
    of one event the most favourable counts.
    """
    if prediction is None:
        return Disposition.PENDING
    if not rules.trusts(event):
        return Disposition.EXCLUDED_SOURCE
    if event.name in _RESERVED:
        return _RESERVED[event.name]
    by = event.by
    reading = [rule for rule in rules.of_event(event.name) if rule.by is by and rule.reads(event.value)]
    # Taken over is said of the present: up to that moment the event may have been this prediction's.
    is_taken_over = event.given_until and all(end_of(event, rule.way or "") != FOR_EVER for rule in reading)
    if not reading or is_taken_over:
        return Disposition.TAKEN_OVER if reading else Disposition.UNMATCHED_RULE
    occurred_at = prediction.occurred_at
    earliest = shifted(occurred_at, -rules.clock_skew)
    windows = [rule.window for rule in reading if in_window(event, rule.window, earliest, occurred_at)]
    if not windows:
        return Disposition.OUT_OF_WINDOW
    in_time = any(window is None or event.received_at <= shifted(occurred_at, window) for window in windows)
    return Disposition.IN_WINDOW if in_time else Disposition.LATE

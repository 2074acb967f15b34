"""The meaning of one event for its prediction's label."""

from enum import StrEnum

from msgspec import Struct

from hindsight.config.labels import EXPOSED, RETRACTED
from hindsight.entities.feedback import FOR_EVER, Feedback
from hindsight.labels.resolve import TimedPrediction, shifted, window_end
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


class JoinedFeedback(Struct, frozen=True, gc=False):
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
    ends = [window_end(occurred_at, rule.window) for rule in reading]
    if event.occurred_at < earliest or event.occurred_at > max(ends):
        return Disposition.OUT_OF_WINDOW
    return Disposition.IN_WINDOW if event.received_at <= max(ends) else Disposition.LATE

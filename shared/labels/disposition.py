"""What one event means for its prediction's label."""

from enum import StrEnum

from shared.capture.feedback import Feedback
from shared.configuration.labels import EXPOSED, RETRACTED, Labels
from shared.configuration.metrics import Task
from shared.labels.mapping import can_read
from shared.labels.resolve import Timed, in_window, window_close


class Disposition(StrEnum):
    """How an event was joined; kept with it, and counted."""

    IN_WINDOW = "in_window"
    LATE = "late"
    OUT_OF_WINDOW = "out_of_window"
    UNMATCHED_RULE = "unmatched_rule"
    RETRACTION = "retraction"
    EXPOSURE = "exposure"
    EARLY = "early"


def disposition(event: Feedback, prediction: Timed | None, labels: Labels, task: Task) -> Disposition:
    """Return what an event means for a prediction; ``early`` without one.

    Late is what occurred within a window but was received after it closed: it amends the label. With several rules
    of one event the most favourable counts.
    """
    if prediction is None:
        return Disposition.EARLY
    if event.name == EXPOSED:
        return Disposition.EXPOSURE
    if event.name == RETRACTED:
        return Disposition.RETRACTION
    rules = [rule for rule in labels.rules if rule.event == event.name and can_read(rule, event.value, task)]
    if not rules:
        return Disposition.UNMATCHED_RULE
    matching = [rule for rule in rules if in_window(event, rule.window, labels, prediction.occurred_at)]
    if not matching:
        return Disposition.OUT_OF_WINDOW
    closes = [window_close(prediction, rule) for rule in matching]
    in_time = any(close is None or event.received_at <= close for close in closes)
    return Disposition.IN_WINDOW if in_time else Disposition.LATE

"""``label = resolve(prediction, events, labels, task, as_of)``: pure, total and deterministic.

The order in which events arrive, duplicates and retries never change the result. A window holds the moment it closes:
it is open while ``as_of`` is before that moment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from shared.capture.feedback import Feedback
from shared.configuration.labels import EXPOSED, RETRACTED, Labels, LabelValue, Rule
from shared.configuration.metrics import Task
from shared.labels.aggregate import rule_label
from shared.labels.label import Label, LabelStatus
from shared.labels.mapping import fit_label

PENDING = Label(value=None, status=LabelStatus.PENDING)
CENSORED = Label(value=None, status=LabelStatus.CENSORED)
DEFAULT_SOURCE = "default"
_FIRST_MOMENT = datetime.min.replace(tzinfo=UTC)
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC)


class Timed(Protocol):
    """What of a prediction its label depends on."""

    @property
    def occurred_at(self) -> datetime:
        """When the prediction was made."""

    @property
    def received_at(self) -> datetime:
        """When it was received."""


def resolve(prediction: Timed, events: Iterable[Feedback], labels: Labels, task: Task, as_of: datetime) -> Label:
    """Return the label of a prediction as far as it is known at ``as_of``.

    Parameters
    ----------
    prediction
        The prediction's times; windows count from ``occurred_at``.
    events
        The feedback about this prediction, in any order, repeated or not.
    labels, task
        The rules and the kind of label they must yield.
    as_of
        Events received later are not seen.
    """
    return resolution(prediction, events, labels, task, as_of).label


@dataclass(frozen=True, slots=True)
class Resolution:
    """A label, and the first later moment at which the clock alone changes it, None if it never will."""

    label: Label
    next_change_at: datetime | None


def resolution(
    prediction: Timed, events: Iterable[Feedback], labels: Labels, task: Task, as_of: datetime
) -> Resolution:
    """Return the label as ``resolve`` does, and when the clock will change it if no more feedback comes."""
    by_name = _by_name(visible_events(events, as_of))
    evidence = _Evidence(labels, task, by_name, prediction.occurred_at, as_of)
    for position, rule in enumerate(labels.rules if by_name else ()):
        value = evidence.yield_of(rule)
        if value is not None:
            others = evidence.disagreeing(labels.rules[position + 1 :], value)
            return evidence.settle(labels.rules[:position], value, rule.source.value, rule.event, others)
    return evidence.unspoken()


def first_due_at(prediction: Timed, labels: Labels, task: Task) -> datetime | None:
    """Return when the label of a new prediction first changes by the clock alone, None if it never will."""
    start = known_from(prediction)
    found = resolution(prediction, (), labels, task, start)
    return start if found.label != PENDING else found.next_change_at


def clock_moments(prediction: Timed, labels: Labels) -> list[datetime]:
    """Return when windows close and the default falls due, oldest first."""
    lengths = {rule.window for rule in labels.rules if rule.window}
    if labels.default is not None:
        lengths.add(labels.default.after)
    return sorted(shifted(prediction.occurred_at, length) for length in lengths)


def window_close(prediction: Timed, rule: Rule) -> datetime | None:
    """Return when a rule's window closes, None if it has none."""
    return None if rule.window is None else shifted(prediction.occurred_at, rule.window)


def known_from(prediction: Timed) -> datetime:
    """Return the first moment at which a prediction can have a label: when it was made and we knew of it."""
    return max(prediction.occurred_at, prediction.received_at)


def delivery_order(event: Feedback) -> tuple[datetime, datetime, str]:
    """Return the order among deliveries of one ``feedback_id``: the first received is the one that counts."""
    return event.received_at, event.occurred_at, event.body_digest


def visible_events(events: Iterable[Feedback], as_of: datetime) -> list[Feedback]:
    """Return the events received by ``as_of``, each id once, less those retracted by then."""
    first: dict[str, Feedback] = {}
    for event in events:
        if event.received_at <= as_of:
            other = first.get(event.feedback_id)
            if other is None or delivery_order(event) < delivery_order(other):
                first[event.feedback_id] = event
    retracted = {event.value for event in first.values() if event.name == RETRACTED}
    # A retraction itself stands: taking one back means sending the event again under a new id.
    return [event for event in first.values() if event.name == RETRACTED or event.feedback_id not in retracted]


def in_window(event: Feedback, window: timedelta | None, labels: Labels, occurred_at: datetime) -> bool:
    """Return whether an event occurred in a window around a prediction; without a window the end is open."""
    if event.occurred_at < shifted(occurred_at, -labels.backward):
        return False
    return window is None or event.occurred_at <= shifted(occurred_at, window)


def shifted(moment: datetime, length: timedelta) -> datetime:
    """Return a moment moved by a length, at the ends of the calendar the end itself: a window never fails."""
    try:
        return moment + length
    except OverflowError:
        return _LAST_MOMENT if length > timedelta(0) else _FIRST_MOMENT


@dataclass(frozen=True, slots=True)
class _Evidence:
    """All that the label of one prediction rests on at one moment."""

    labels: Labels
    task: Task
    by_name: dict[str, list[Feedback]]
    occurred_at: datetime
    as_of: datetime

    def yield_of(self, rule: Rule) -> LabelValue | None:
        """Return the value a rule makes of its matches, None without any."""
        named = self.by_name.get(rule.event)
        if not named:
            return None
        values = [event.value for event in named if in_window(event, rule.window, self.labels, self.occurred_at)]
        return rule_label(rule, values, self.task)

    def settle(
        self, watched: Sequence[Rule], value: LabelValue | None, source: str, event: str | None, others: tuple[str, ...]
    ) -> Resolution:
        """Return the label of a value: provisional while the window of a watched rule is open, else final."""
        final_at = max((shifted(self.occurred_at, rule.window) for rule in watched if rule.window), default=self.as_of)
        is_open = self.as_of < final_at
        status = LabelStatus.PROVISIONAL if is_open else LabelStatus.FINAL
        label = Label(value=value, status=status, source=source, event=event, disagreeing=others)
        return Resolution(label, final_at if is_open else None)

    def disagreeing(self, lower: Sequence[Rule], value: LabelValue) -> tuple[str, ...]:
        """Return the events of the lower rules that say otherwise."""
        others = ((rule.event, self.yield_of(rule)) for rule in lower)
        return tuple(dict.fromkeys(event for event, other in others if other is not None and other != value))

    def unspoken(self) -> Resolution:
        """Return the label of a prediction that no rule yields a value for."""
        default = self.labels.default
        length = default.after if default else self.labels.longest_window
        falls_due = shifted(self.occurred_at, length)
        if default is None and not length:
            return Resolution(PENDING, None)
        if self.as_of < falls_due:
            return Resolution(PENDING, falls_due)
        if default is None or (default.requires_exposure and not self._exposed_within(default.after)):
            return Resolution(CENSORED, None)
        return self.settle(self.labels.rules, fit_label(default.value, self.task), DEFAULT_SOURCE, None, ())

    def _exposed_within(self, length: timedelta) -> bool:
        exposures = self.by_name.get(EXPOSED, ())
        return any(in_window(event, length, self.labels, self.occurred_at) for event in exposures)


def _by_name(events: Iterable[Feedback]) -> dict[str, list[Feedback]]:
    by_name: dict[str, list[Feedback]] = {}
    for event in events:
        by_name.setdefault(event.name, []).append(event)
    for named in by_name.values():
        if len(named) > 1:
            named.sort(key=lambda event: (event.occurred_at, event.received_at, event.feedback_id))
    return by_name

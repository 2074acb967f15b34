"""``label = resolve(prediction, events, rules, as_of)``: pure, total and deterministic.

The order in which events arrive, duplicates and retries never change the result. A window holds the moment it closes:
it is open while ``as_of`` is before that moment.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import NamedTuple, Protocol

from msgspec import Struct

from hindsight.config.labels import EXPOSED, RETRACTED, LabelValue
from hindsight.entities.feedback import Feedback
from hindsight.entities.label import Label, LabelStatus
from hindsight.labels.rules import ReadyRule, Rules

PENDING = Label(value=None, status=LabelStatus.PENDING)
CENSORED = Label(value=None, status=LabelStatus.CENSORED)
DEFAULT_KIND = "default"
_FIRST_MOMENT = datetime.min.replace(tzinfo=UTC)
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC)
_BY_TIME = attrgetter("occurred_at", "received_at", "feedback_id")


class TimedPrediction(Protocol):
    """A prediction's times, on which its label depends."""

    @property
    def occurred_at(self) -> datetime:
        """The time at which the prediction was made."""

    @property
    def received_at(self) -> datetime:
        """The time at which it was received."""


def resolve(prediction: TimedPrediction, events: Iterable[Feedback], rules: Rules, as_of: datetime) -> Label:
    """Compute the label of a prediction as far as it is known at ``as_of``.

    Parameters
    ----------
    prediction
        The prediction's times; windows count from ``occurred_at``.
    events
        The feedback about this prediction, in any order, repeated or not.
    rules
        The rules by precedence, for the kind of label they must yield.
    as_of
        Events received later are not seen.
    """
    return resolution(prediction, events, rules, as_of).label


class Resolution(Struct, frozen=True):
    """A label, and the first later moment at which the clock alone changes it, None if it never will."""

    label: Label
    next_change_at: datetime | None


def resolution(prediction: TimedPrediction, events: Iterable[Feedback], rules: Rules, as_of: datetime) -> Resolution:
    """Compute the label as ``resolve`` does, and when the clock will change it if no more feedback comes."""
    # Before retractions are: what is set aside takes nothing back either.
    trusted = [event for event in events if rules.trusts(event)] if rules.excluded_sources else events
    seen, occurred_at = visible_events(trusted, as_of), prediction.occurred_at
    earliest = shifted(occurred_at, -rules.clock_skew)
    for position, rule in enumerate(rules.ready if seen else ()):
        value = _yield_of(rule, seen, earliest, occurred_at, as_of)
        if value is not None:
            lower = rules.ready[position + 1 :]
            others = _disagreeing(lower, value, seen, _Scope(earliest, occurred_at, as_of)) if lower else ()
            open_until = _latest_close(rules.ready[:position], occurred_at)
            return _settled(value, rule.kind, rule.event, others=others, open_until=open_until, as_of=as_of)
    return _unspoken(rules, seen, _Scope(earliest, occurred_at, as_of))


def first_due_at(prediction: TimedPrediction, rules: Rules) -> datetime | None:
    """Compute when the label of a new prediction first changes by the clock alone, None if it never will."""
    start = known_from(prediction)
    found = resolution(prediction, (), rules, start)
    return start if found.label != PENDING else found.next_change_at


def known_from(prediction: TimedPrediction) -> datetime:
    """Compute the first moment at which a prediction can have a label: when it was made and we knew of it."""
    return max(prediction.occurred_at, prediction.received_at)


def delivery_order(event: Feedback) -> tuple[datetime, datetime, str]:
    """Compute the order among deliveries of one ``feedback_id``: the first received is the one that counts."""
    return event.received_at, event.occurred_at, event.body_digest


def visible_events(events: Iterable[Feedback], as_of: datetime) -> list[Feedback]:
    """Select the events received by ``as_of``, each id once, without those retracted by then."""
    first: dict[str, Feedback] = {}
    for event in events:
        if event.received_at <= as_of:
            other = first.setdefault(event.feedback_id, event)
            if other is not event and delivery_order(event) < delivery_order(other):
                first[event.feedback_id] = event
    # A retraction is final: taking one back means sending the event again under a new id.
    for retraction in [event for event in first.values() if event.name == RETRACTED]:
        retracted = first.get(retraction.value) if isinstance(retraction.value, str) else None
        if retracted is not None and retracted.name != RETRACTED:
            del first[retracted.feedback_id]
    return list(first.values())


def window_end(occurred_at: datetime, window: timedelta | None) -> datetime:
    """Compute when a window of a prediction closes; without a window the end is open."""
    return _LAST_MOMENT if window is None else shifted(occurred_at, window)


def shifted(moment: datetime, length: timedelta) -> datetime:
    """Move a moment by a length, at the ends of the calendar the end itself: a window never fails."""
    try:
        return moment + length
    except OverflowError:
        return _LAST_MOMENT if length > timedelta(0) else _FIRST_MOMENT


class _Scope(NamedTuple):
    """The moments between which events are a prediction's, and the one at which it is asked."""

    earliest: datetime
    occurred_at: datetime
    as_of: datetime


def _yield_of(
    rule: ReadyRule, seen: list[Feedback], earliest: datetime, occurred_at: datetime, as_of: datetime
) -> LabelValue | None:
    """Compute the value a rule makes of its matches, None without any."""
    name, until = rule.event, window_end(occurred_at, rule.window)
    matches = [event for event in seen if event.name == name and earliest <= event.occurred_at <= until]
    if rule.way is None:
        matches = [event for event in matches if event.prediction_id is not None]
    else:
        matches = [event for event in matches if rule.is_given(event, as_of)]
    if len(matches) > 1:
        matches.sort(key=_BY_TIME)
    return rule.label_of([event.value for event in matches]) if matches else None


def _disagreeing(lower: Sequence[ReadyRule], value: LabelValue, seen: list[Feedback], scope: _Scope) -> tuple[str, ...]:
    """List the events of the lower rules that disagree."""
    others = ((rule.event, _yield_of(rule, seen, *scope)) for rule in lower)
    return tuple(dict.fromkeys(event for event, other in others if other is not None and other != value))


def _latest_close(watched: Sequence[ReadyRule], occurred_at: datetime) -> datetime | None:
    """Compute when the last window of some rules closes, None if none has one."""
    return max((shifted(occurred_at, rule.window) for rule in watched if rule.window), default=None)


def _settled(
    value: LabelValue | None,
    kind: str,
    event: str | None,
    *,
    others: tuple[str, ...] = (),
    open_until: datetime | None,
    as_of: datetime,
) -> Resolution:
    """Build the label of a value: provisional while a window is open whose rule could overrule it, else final."""
    is_open = open_until is not None and as_of < open_until
    status = LabelStatus.PROVISIONAL if is_open else LabelStatus.FINAL
    label = Label(value=value, status=status, kind=kind, event=event, disagreeing=others)
    return Resolution(label, open_until if is_open else None)


def _unspoken(rules: Rules, seen: list[Feedback], scope: _Scope) -> Resolution:
    """Build the label of a prediction that no rule yields a value for."""
    earliest, occurred_at, as_of = scope
    default = rules.default
    length = default.after if default else rules.longest_window
    if default is None and not length:
        return Resolution(PENDING, None)
    falls_due = shifted(occurred_at, length)
    if as_of < falls_due:
        return Resolution(PENDING, falls_due)
    if default is None:
        return Resolution(CENSORED, None)
    if default.requires_exposure and not any(
        event.name == EXPOSED and earliest <= event.occurred_at <= falls_due and rules.exposes(event, as_of)
        for event in seen
    ):
        return Resolution(CENSORED, None)
    open_until = _latest_close(rules.ready, occurred_at)
    return _settled(rules.default_value, DEFAULT_KIND, None, open_until=open_until, as_of=as_of)

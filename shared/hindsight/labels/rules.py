"""The label rules of a configuration, made ready once for the many predictions they are applied to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, lru_cache

from hindsight.config.labels import (
    DEFAULT_MATCH,
    EXPOSED,
    Aggregate,
    Default,
    ExcludedSource,
    Labels,
    LabelValue,
    Match,
    MatchBy,
    Rule,
)
from hindsight.config.metrics import Task
from hindsight.config.store import ConfigurationRevision
from hindsight.config.types import format_duration
from hindsight.entities.feedback import Feedback, FeedbackValue
from hindsight.labels.aggregate import rule_label
from hindsight.labels.mapping import can_read, fit_label, to_label

_REMEMBERED_VALUES = 2048
_REMEMBERED_REVISIONS = 64


@dataclass(frozen=True)
class Way:
    """One way in which events of a key find predictions: which of those whose window holds the event."""

    match: Match
    window: timedelta | None
    clock_skew: timedelta

    @cached_property
    def name(self) -> str:
        """The name under which an event keeps until when it is a prediction's."""
        window = "open" if self.window is None else format_duration(self.window)
        return f"{self.match.value}/{window}/{format_duration(self.clock_skew)}"


@dataclass(frozen=True, slots=True)
class ReadyRule:
    """One rule: which events it matches, what it can read, and the label value it makes of its matches, oldest first.

    What it makes of a single value is remembered: most feedback says one of a few things.
    """

    event: str
    kind: str
    window: timedelta | None
    reads: Callable[[FeedbackValue], bool]
    label_of: Callable[[Sequence[FeedbackValue]], LabelValue | None]
    by: MatchBy = MatchBy.PREDICTION
    way: str | None = None

    def is_given(self, event: Feedback, as_of: datetime) -> bool:
        """Check whether an event that is kept with a prediction is the prediction's under this rule."""
        if self.way is None:
            return event.prediction_id is not None
        return event.by is self.by and as_of < end_of(event, self.way)


def end_of(event: Feedback, way: str) -> datetime:
    """Find until when an event by entity or reference is the prediction's that it is kept with, in a way of matching.

    One that was matched by other rules, and not since, is the prediction's as it was by the way that is most like this
    one: of the same choice, else of any. New rules take nothing from what was labelled; a relabelling does.
    """
    known = event.given_until
    if way in known:
        return known[way]
    alike = [end for name, end in known.items() if name.partition("/")[0] == way.partition("/")[0]]
    return max(alike or known.values(), default=event.received_at)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules by precedence, highest first, with the default below them all.

    ``default_value`` is the default's value as a label of the task. Feedback of ``excluded_sources`` is as if not sent.
    """

    ready: tuple[ReadyRule, ...]
    clock_skew: timedelta
    longest_window: timedelta
    default: Default | None
    default_value: LabelValue | None
    excluded_sources: tuple[ExcludedSource, ...] = ()
    keys: frozenset[MatchBy] = frozenset()
    ways: Mapping[tuple[MatchBy, str], tuple[Way, ...]] = field(default_factory=dict)

    def trusts(self, event: Feedback) -> bool:
        """Check whether an event counts: its source was not set aside when it was received."""
        return not any(
            found.source == event.source
            and (found.since is None or found.since <= event.received_at)
            and (found.until is None or event.received_at <= found.until)
            for found in self.excluded_sources
        )

    def exposes(self, event: Feedback, as_of: datetime) -> bool:
        """Check whether an ``exposed`` event is the prediction's that it is kept with."""
        if event.prediction_id is not None:
            return True
        return any(as_of < end_of(event, way.name) for way in self.ways.get((event.by, EXPOSED), ()))

    def of_event(self, name: str) -> list[ReadyRule]:
        """Select the rules that match an event's name, in order."""
        return [rule for rule in self.ready if rule.event == name]


def ready_rules(labels: Labels, task: Task) -> Rules:
    """Make a configuration's rules ready to be applied."""
    return Rules(
        ready=tuple(_ready(rule, task, labels.clock_skew) for rule in labels.rules),
        clock_skew=labels.clock_skew,
        longest_window=labels.longest_window,
        default=labels.default,
        default_value=fit_label(labels.default.value, task) if labels.default else None,
        excluded_sources=labels.excluded_sources,
        keys=labels.keys,
        ways=_ways(labels),
    )


def _ways(labels: Labels) -> dict[tuple[MatchBy, str], tuple[Way, ...]]:
    """List the ways in which events find predictions, by key and name of the event."""
    found: dict[tuple[MatchBy, str], dict[Way, None]] = {}
    for rule in labels.rules:
        if rule.choice is not None:
            way = Way(rule.choice, rule.window, labels.clock_skew)
            found.setdefault((rule.by, rule.event), {})[way] = None
    default = labels.default
    if default is not None and default.requires_exposure:
        for by in labels.keys:
            found[by, EXPOSED] = {Way(DEFAULT_MATCH[by], default.after, labels.clock_skew): None}
    return {key: tuple(ways) for key, ways in found.items()}


@lru_cache(maxsize=_REMEMBERED_REVISIONS)
def rules_of(revision: ConfigurationRevision) -> Rules:
    """Read a revision's rules; a revision never changes, so they are made ready once."""
    return ready_rules(revision.configuration.labels, revision.configuration.task)


def _ready(rule: Rule, task: Task, clock_skew: timedelta) -> ReadyRule:
    # typed: to a mapping True is "true" and 1 is "1", though Python holds them equal.
    single = lru_cache(maxsize=_REMEMBERED_VALUES, typed=True)(lambda value: to_label(rule, value, task))
    reads = lru_cache(maxsize=_REMEMBERED_VALUES, typed=True)(lambda value: can_read(rule, value, task))

    def first_of(values: Iterable[FeedbackValue]) -> LabelValue | None:
        return next((single(value) for value in values if reads(value)), None)

    label_of: Callable[[Sequence[FeedbackValue]], LabelValue | None]
    if rule.aggregate is Aggregate.LAST:

        def label_of(values: Sequence[FeedbackValue]) -> LabelValue | None:
            return first_of(reversed(values))

    elif rule.aggregate is Aggregate.FIRST:
        label_of = first_of
    else:

        def label_of(values: Sequence[FeedbackValue]) -> LabelValue | None:
            return rule_label(rule, values, task)

    return ReadyRule(
        rule.event,
        rule.kind.value,
        rule.window,
        reads,
        label_of,
        rule.by,
        None if rule.choice is None else Way(rule.choice, rule.window, clock_skew).name,
    )

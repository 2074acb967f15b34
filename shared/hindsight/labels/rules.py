"""The label rules of a configuration, made ready once for the many predictions they are applied to."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from hindsight.config.labels import Aggregate, Default, ExcludedSource, Labels, LabelValue, Rule
from hindsight.config.metrics import Task
from hindsight.config.store import ConfigurationRevision
from hindsight.entities.feedback import Feedback, FeedbackValue
from hindsight.labels.aggregate import rule_label
from hindsight.labels.mapping import can_read, fit_label, to_label

_REMEMBERED_VALUES = 2048
_REMEMBERED_REVISIONS = 64


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

    def trusts(self, event: Feedback) -> bool:
        """Check whether an event counts: its source was not set aside when it was received."""
        return not any(
            found.source == event.source
            and (found.since is None or found.since <= event.received_at)
            and (found.until is None or event.received_at <= found.until)
            for found in self.excluded_sources
        )

    def of_event(self, name: str) -> list[ReadyRule]:
        """Select the rules that match an event's name, in order."""
        return [rule for rule in self.ready if rule.event == name]


def ready_rules(labels: Labels, task: Task) -> Rules:
    """Make a configuration's rules ready to be applied."""
    return Rules(
        ready=tuple(_ready(rule, task) for rule in labels.rules),
        clock_skew=labels.clock_skew,
        longest_window=labels.longest_window,
        default=labels.default,
        default_value=fit_label(labels.default.value, task) if labels.default else None,
        excluded_sources=labels.excluded_sources,
    )


@lru_cache(maxsize=_REMEMBERED_REVISIONS)
def rules_of(revision: ConfigurationRevision) -> Rules:
    """Read a revision's rules; a revision never changes, so they are made ready once."""
    return ready_rules(revision.configuration.labels, revision.configuration.task)


def _ready(rule: Rule, task: Task) -> ReadyRule:
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

    return ReadyRule(rule.event, rule.kind.value, rule.window, reads, label_of)

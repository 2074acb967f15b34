"""The configuration of labels: rules by precedence, windows, the default."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from hindsight.config.types import (
    Duration,
    EventName,
    Moment,
    Number,
    PositiveDuration,
    Section,
    require_consistent,
    rivals,
)
from hindsight.core.compact_json import MAX_INTEGER
from hindsight.core.errors import Fault

EXPOSED = "exposed"
RETRACTED = "retracted"
# The longest text that feedback may have as its value.
MAX_VALUE_TEXT = 1024
RESERVED_EVENTS = frozenset({EXPOSED, RETRACTED})

LabelValue = bool | int | float | str
ValueText = Annotated[str, Field(max_length=MAX_VALUE_TEXT)]


def _whole(value: LabelValue) -> LabelValue:
    """Write a whole number in one way: 1 and 1.0 are the same label, and must not make two revisions."""
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) <= MAX_INTEGER
    return int(value) if is_whole else value


GivenLabel = Annotated[LabelValue, AfterValidator(_whole)]


class Aggregate(StrEnum):
    """The aggregate by which several matching events become one value."""

    FIRST = "first"
    LAST = "last"
    SUM = "sum"
    MEAN = "mean"
    MAX = "max"
    MIN = "min"
    COUNT = "count"
    ANY = "any"
    MAJORITY = "majority"


NUMERIC_AGGREGATES = frozenset({Aggregate.SUM, Aggregate.MEAN, Aggregate.MAX, Aggregate.MIN})


class MatchBy(StrEnum):
    """The key by which an event finds the predictions that it labels."""

    PREDICTION = "prediction"
    ENTITY = "entity"
    REFERENCE = "reference"


class Match(StrEnum):
    """The choice among the predictions of one key whose window holds an event."""

    LAST = "last"
    FIRST = "first"
    ALL = "all"


DEFAULT_MATCH = {MatchBy.ENTITY: Match.LAST, MatchBy.REFERENCE: Match.ALL}
"""A customer's purchase belongs to what was predicted last; an order's return to all that was predicted for it."""


class LabelKind(StrEnum):
    """The kind of evidence a label rests on."""

    MANUAL = "manual"
    OUTCOME = "outcome"
    EXPLICIT = "explicit"
    ACTION = "action"


class Threshold(Section):
    """The positive class as a comparison; exactly one bound."""

    greater_than: Number | None = None
    """The label is 1 above this number, else 0."""
    at_least: Number | None = None
    """The label is 1 from this number on, else 0."""
    less_than: Number | None = None
    """The label is 1 below this number, else 0."""
    at_most: Number | None = None
    """The label is 1 up to this number, else 0."""
    equals: bool | Number | ValueText | None = None
    """The label is 1 for this value, else 0."""

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        require_consistent(rivals(self, list(type(self).model_fields), required=True))
        return self


class Rule(Section):
    """One way for feedback to become a label; without a window it applies whenever the feedback comes."""

    event: EventName
    """The name of the feedback that the rule reads."""
    kind: LabelKind = LabelKind.EXPLICIT
    """The kind of evidence, kept with the label; a reviewer's answers are `manual`."""
    by: MatchBy = MatchBy.PREDICTION
    """The key that the event names: the prediction itself, its entity, or a reference that it carries."""
    match: Match | None = None
    """The predictions an event labels: the `last` (default by entity), the `first` or `all` (default by reference)."""
    window: PositiveDuration | None = None
    """Events up to that long after the prediction count; without a window, whenever they come."""
    aggregate: Aggregate = Aggregate.LAST
    """The function that makes one value of several matching events."""
    positive: Threshold | None = None
    """Make the label 1 or 0 by a comparison; for binary tasks."""
    map: dict[ValueText, GivenLabel] | None = Field(default=None, min_length=1, max_length=1000)
    """Make the label by the value's text, such as `{up: 1, down: 0}`."""
    value: GivenLabel | None = None
    """The label of every matching event, with any value."""

    @model_validator(mode="after")
    def _one_mapping(self) -> Self:
        if self.event in RESERVED_EVENTS:
            require_consistent([Fault("event", f"{self.event!r} is reserved and cannot be a rule's event")])
        if self.kind is LabelKind.MANUAL and self.by is not MatchBy.PREDICTION:
            require_consistent([Fault("by", "must be prediction: a manual label is about one")])
        if self.by is MatchBy.PREDICTION and self.match is not None:
            require_consistent([Fault("match", "is for rules by entity or by reference")])
        require_consistent(rivals(self, ("positive", "map", "value"), required=False))
        return self

    @property
    def constants(self) -> list[tuple[str, LabelValue]]:
        """The labels that it can make, each with its path; none where it takes the value of its event."""
        constants: list[tuple[str, LabelValue]] = [] if self.value is None else [("value", self.value)]
        return constants + [(f"map.{key}", value) for key, value in (self.map or {}).items()]

    @property
    def choice(self) -> Match | None:
        """The choice among the predictions of one key, None for a rule by prediction."""
        return None if self.by is MatchBy.PREDICTION else self.match or DEFAULT_MATCH[self.by]


class Default(Section):
    """The label of a prediction without feedback."""

    value: GivenLabel
    """The label of a prediction without feedback that a rule reads."""
    after: PositiveDuration
    """It holds that long after the prediction."""
    requires_exposure: bool = False
    """It holds only if an `exposed` event came; otherwise the label is censored."""


class Exploration(Section):
    """The decision by which outcomes are seen, taken for a share of the entities whatever the version decides."""

    share: Annotated[float, Field(gt=0, lt=1)]
    """The share of the entities that are answered with `decision`, always the same ones."""
    decision: LabelValue
    """The decision by which the outcome is seen, such as to grant the loan; outcomes of others count as hidden."""


class ExcludedSource(Section):
    """The exclusion of a source's feedback received from ``since`` to ``until``, both included.

    ``source`` is the one that the feedback names; without a moment that end is open.
    """

    source: Annotated[str, Field(min_length=1, max_length=64)]
    """The source, as feedback names it."""
    since: Moment | None = None
    """From when on its feedback is excluded; without it from the beginning."""
    until: Moment | None = None
    """Up to when its feedback is excluded; without it for ever."""
    reason: Annotated[str, Field(max_length=500)] | None = None
    """The reason, for later readers."""

    @model_validator(mode="after")
    def _since_before_until(self) -> Self:
        if self.since and self.until and self.since > self.until:
            require_consistent([Fault("since", "lies after until")])
        return self


class Labels(Section):
    """The rules by precedence, highest first, and the default below them all."""

    clock_skew: Duration = timedelta(minutes=2)
    """An event may lie that long before its prediction, since clocks differ."""
    rules: tuple[Rule, ...] = Field(min_length=1, max_length=50)
    """The rules by precedence, highest first; the first that yields a value makes the label."""
    default: Default | None = None
    """The label without feedback; without a default there is none."""
    excluded_sources: tuple[ExcludedSource, ...] = Field(default=(), max_length=100)
    """Sources whose feedback is kept, and has no effect."""

    @property
    def keys(self) -> frozenset[MatchBy]:
        """The keys, beside the prediction itself, by which rules find predictions."""
        return frozenset(rule.by for rule in self.rules if rule.by is not MatchBy.PREDICTION)

    @property
    def classes(self) -> frozenset[str]:
        """The classes that labels can have, none where a rule takes any value."""
        if not all(rule.constants for rule in self.rules):
            return frozenset()
        constants = [value for rule in self.rules for _, value in rule.constants]
        return frozenset(map(canonical_text, [*constants, *([self.default.value] if self.default else [])]))

    @property
    def labels_every_prediction(self) -> bool:
        """True if every prediction has a label in the end, whatever was seen of it: there is a default for all."""
        return self.default is not None and not self.default.requires_exposure

    @property
    def longest_window(self) -> timedelta:
        """The time after which no rule with a window can match any more; zero without such a rule."""
        return max((rule.window for rule in self.rules if rule.window), default=timedelta(0))

    @property
    def reach(self) -> timedelta | None:
        """The time after which an outcome makes no label any more; None if a rule takes one whenever it comes."""
        windows = [rule.window for rule in self.rules if rule.kind is not LabelKind.MANUAL]
        return self.longest_window if windows and all(windows) else None

    def reaches(self, delay: timedelta) -> bool:
        """Check whether an outcome that comes so long after its prediction can make a label."""
        return self.reach is None or delay <= self.reach


def canonical_text(value: object) -> str:
    """Format the text under which a value is looked up in a mapping, and classes are compared.

    >>> canonical_text(True), canonical_text(1.0), canonical_text(0.5), canonical_text("up")
    ('true', '1', '0.5', 'up')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)

"""Joining feedback onto predictions: load, plan, commit; and once more where another worker was faster."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from hindsight.config.store import ConfigurationRevision, ConfigurationStore
from hindsight.core.errors import Unavailable
from hindsight.entities.feedback import Feedback
from hindsight.entities.label_collection import Collection
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.disposition import Disposition
from hindsight.labels.joining.effects import EffectCounts, EffectStore, count_effects
from hindsight.labels.joining.entity_limit import EntityLimits
from hindsight.labels.plan import MAX_EVENTS, JoinPlan, plan_join, plan_window_closing
from hindsight.labels.relabel_plan import plan_recover, plan_relabel
from hindsight.labels.store import LabelStore
from hindsight.quarantine.rejects import RejectCode
from hindsight.quarantine.store import Quarantine

_ROUNDS = 60
_CONFLICT = "the feedback_id was used before with another body; the first received stays"
_UNMATCHED = "no prediction of that id came before the match timeout"
_LIMITED = "there is more feedback on this entity's predictions than counts in this span of time"

Planner = Callable[[Collection, ConfigurationRevision], JoinPlan]
SideBySide = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]


class JoinCount(StrEnum):
    """The name of a count of a join."""

    JOINED = "joined"
    LATE = "late"
    PENDING = "pending"
    DUPLICATE = "duplicate"
    CONFLICTING = "conflicting"
    OUT_OF_WINDOW = "out_of_window"
    IGNORED = "ignored"
    UNMATCHED = "unmatched"
    QUARANTINED = "quarantined"
    ERASED = "erased"
    EXCLUDED_SOURCE = "excluded_source"
    TAKEN_OVER = "taken_over"
    LABELS = "labels"


_COUNTED_AS = {
    Disposition.IN_WINDOW: (JoinCount.JOINED,),
    Disposition.LATE: (JoinCount.JOINED, JoinCount.LATE),
    Disposition.OUT_OF_WINDOW: (JoinCount.JOINED, JoinCount.OUT_OF_WINDOW),
    Disposition.UNMATCHED_RULE: (JoinCount.JOINED, JoinCount.IGNORED),
    Disposition.RETRACTION: (JoinCount.JOINED,),
    Disposition.EXPOSURE: (JoinCount.JOINED,),
    Disposition.PENDING: (JoinCount.PENDING,),
    Disposition.EXCLUDED_SOURCE: (JoinCount.JOINED, JoinCount.EXCLUDED_SOURCE),
    Disposition.TAKEN_OVER: (JoinCount.TAKEN_OVER,),
}


@dataclass(frozen=True, slots=True)
class JoinReport:
    """The counts of a join by model; for quarantined feedback also by reason, and its effects by hour."""

    counts: dict[str, Counter[JoinCount]] = field(default_factory=dict)
    quarantined: dict[str, Counter[RejectCode]] = field(default_factory=dict)
    effects: EffectCounts = field(default_factory=EffectCounts)

    def count(self, model: str, what: JoinCount, number: int = 1) -> None:
        """Add to a count."""
        if number:
            self.counts.setdefault(model, Counter())[what] += number

    def count_quarantined(self, model: str, code: RejectCode, number: int = 1) -> None:
        """Add to the count of quarantined events."""
        if number:
            self.count(model, JoinCount.QUARANTINED, number)
            self.quarantined.setdefault(model, Counter())[code] += number

    def add(self, plan: JoinPlan) -> None:
        """Count the effects of a plan."""
        model = plan.key.model
        for joined in plan.feedback:
            for what in _COUNTED_AS[joined.disposition]:
                self.count(model, what)
        self.count(model, JoinCount.LABELS, len(plan.records))
        self.count(model, JoinCount.DUPLICATE, plan.duplicates)
        self.count(model, JoinCount.CONFLICTING, len(plan.conflicts))
        self.count(model, JoinCount.UNMATCHED, len(plan.unmatched))
        self.count(model, JoinCount.ERASED, plan.erased)
        self.count_quarantined(model, RejectCode.CONFLICT, len(plan.conflicts))
        self.count_quarantined(model, RejectCode.UNMATCHED, len(plan.unmatched))
        self.count_quarantined(model, RejectCode.RATE_LIMITED, len(plan.limited))

    def merge(self, other: "JoinReport") -> None:
        """Add all counts of another report."""
        for model, counts in other.counts.items():
            self.counts.setdefault(model, Counter()).update(counts)
        for model, reasons in other.quarantined.items():
            self.quarantined.setdefault(model, Counter()).update(reasons)
        self.effects.merge(other.effects)


@dataclass(frozen=True, slots=True)
class LabelJoiner:
    """The joiner of feedback and closer of windows; everything may be repeated at any time.

    ``pause`` waits before the n-th attempt at predictions that another worker has just changed: of many workers on
    one prediction only one wins a round, and those who lose must not all come back at once. ``side_by_side`` maps as
    ``map`` does, in order: entities' limits are asked for a prediction each, and must not wait for one another.
    """

    store: LabelStore
    quarantine: Quarantine
    configurations: ConfigurationStore
    limits: EntityLimits
    effects: EffectStore
    pause: Callable[[int], None] = lambda _: None
    side_by_side: SideBySide = map

    def join(self, events: Iterable[Feedback]) -> JoinReport:
        """Join events of known models to the predictions they name. Raises Unavailable; again is safe."""
        named: dict[PredictionKey, list[Feedback]] = {}
        for event in events:
            named.setdefault(event.key, []).append(event)
        return self.deliver(named)

    def deliver(self, events: Mapping[PredictionKey, Sequence[Feedback]]) -> JoinReport:
        """Join events to predictions, be they theirs by name or by a match. Raises Unavailable; again is safe."""
        report, waiting = JoinReport(), dict(events)
        # A transaction has room for so many: a prediction with more of them is joined in several.
        while waiting:
            incoming = {key: found[:MAX_EVENTS] for key, found in waiting.items()}
            report.merge(self._settle(list(incoming), self._planner(plan_join, incoming), incoming))
            waiting = {key: found[MAX_EVENTS:] for key, found in waiting.items() if len(found) > MAX_EVENTS}
        return self._noted(report)

    def rejoin(self, keys: Sequence[PredictionKey]) -> None:
        """Join the feedback that came before these predictions. Raises Unavailable; window closing does it then."""
        self._noted(self._settle(keys, lambda collection, rules: plan_join(collection, (), rules)))

    def relabel(self, events: Mapping[PredictionKey, Sequence[Feedback]], at: datetime) -> JoinReport:
        """Label predictions by the rules of now, known from ``at``, once the raw events given for each are merged in.

        Events in excess of what a transaction takes are kept first, without a change of the label. Raises
        Unavailable; doing it again is safe.
        """
        report, waiting = JoinReport(), {key: tuple(found) for key, found in events.items()}
        while many := {key: found for key, found in waiting.items() if len(found) > MAX_EVENTS}:
            first = {key: found[:MAX_EVENTS] for key, found in many.items()}
            report.merge(self._settle(list(first), self._planner(plan_recover, first, is_news=False)))
            waiting |= {key: found[MAX_EVENTS:] for key, found in many.items()}

        def plan(collection: Collection, found: Sequence[Feedback], rules: ConfigurationRevision) -> JoinPlan:
            return plan_relabel(collection, found, rules, at)

        report.merge(self._settle(list(waiting), self._planner(plan, waiting, is_news=False)))
        return report

    def close_windows(self, keys: Sequence[PredictionKey], now: datetime) -> JoinReport:
        """Close the windows that are due by ``now``. Raises Unavailable; doing it again is safe."""
        return self._noted(self._settle(keys, lambda collection, rules: plan_window_closing(collection, rules, now)))

    def note(self, effects: EffectCounts) -> None:
        """Store what events did; a busy table costs some counts, never a join done again."""
        with suppress(Unavailable):
            self.effects.add(effects)

    def _noted(self, report: JoinReport) -> JoinReport:
        self.note(report.effects)
        return report

    def _settle(
        self,
        keys: Sequence[PredictionKey],
        planner: Planner,
        incoming: Mapping[PredictionKey, Sequence[Feedback]] = MappingProxyType({}),
    ) -> JoinReport:
        report, unfinished = JoinReport(), list[PredictionKey]()
        rules = {model: self.configurations.current(model) for model in {key.model for key in keys}}
        for attempt in range(_ROUNDS):
            if not keys:
                break
            if attempt:
                self.pause(attempt)
            collections = self.store.load(keys)
            plans = self._plan(planner, collections, rules)
            # Before the commit: what is displaced or unmatched would be lost if we stopped in between.
            self._set_aside(plans)
            lost = self.store.commit([plan for plan in plans if plan.changes_something])
            for collection, plan in zip(collections, plans, strict=True):
                if plan.key not in lost:
                    report.add(plan)
                    revision = rules[plan.key.model]
                    count_effects(report.effects, collection, plan, incoming.get(plan.key, ()), revision)
                    unfinished += [plan.key] if plan.is_unfinished else []
            keys = [key for key in keys if key in lost]
        if keys:
            raise Unavailable("other workers keep changing the same predictions; try again")
        if unfinished:
            report.merge(self._settle(unfinished, lambda collection, rules: plan_join(collection, (), rules)))
        return report

    def _plan(
        self, planner: Planner, collections: Sequence[Collection], rules: Mapping[str, ConfigurationRevision]
    ) -> list[JoinPlan]:
        asks_limits = any(found.configuration.feedback.limits.per_entity for found in rules.values())
        plan_each = self.side_by_side if asks_limits else map
        return list(plan_each(lambda collection: planner(collection, rules[collection.key.model]), collections))

    def _set_aside(self, plans: Sequence[JoinPlan]) -> None:
        conflicts = (event for plan in plans for event in plan.conflicts)
        self.quarantine.put_events(RejectCode.CONFLICT, _CONFLICT, conflicts)
        unmatched = (event for plan in plans for event in plan.unmatched)
        self.quarantine.put_events(RejectCode.UNMATCHED, _UNMATCHED, unmatched)
        limited = (event for plan in plans for event in plan.limited)
        self.quarantine.put_events(RejectCode.RATE_LIMITED, _LIMITED, limited)

    def _planner(
        self,
        plan: Callable[[Collection, Sequence[Feedback], ConfigurationRevision], JoinPlan],
        incoming: Mapping[PredictionKey, Sequence[Feedback]],
        *,
        is_news: bool = True,
    ) -> Planner:
        """Build the planner of each prediction's events, as many as its entity may send.

        Those beyond are set aside where they are news; who reads raw events again has them in quarantine already.
        """

        def planned(collection: Collection, rules: ConfigurationRevision) -> JoinPlan:
            within, beyond = self.limits.within(collection, incoming[collection.key], rules.configuration)
            found = plan(collection, within, rules)
            return replace(found, limited=tuple(beyond)) if beyond and is_news else found

        return planned

"""Feedback that changes no label, by cause, over the last day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hindsight.core.times import format_time, hour_of
from hindsight.labels.joining.effects import Effects, EffectStore, FeedbackEffect, total
from hindsight.monitoring.results.check import Verdict

MIN_EVENTS = 20
"""Events of a day below which there is no verdict: a few mistakes are no fault of the whole."""
WINDOW = timedelta(days=1)
_HOUR = timedelta(hours=1)
_CAUSES: Mapping[FeedbackEffect, str] = {
    FeedbackEffect.UNKNOWN_PREDICTION: "wait for predictions that were not logged",
    FeedbackEffect.OUT_OF_WINDOW: "occurred outside the windows of their rules",
    FeedbackEffect.UNMATCHED_RULE: "have a name or value that no rule reads",
    FeedbackEffect.EXCLUDED_SOURCE: "are of excluded sources",
    FeedbackEffect.DUPLICATE: "were sent before, alike",
    FeedbackEffect.CONFLICT: "reuse an id with another content",
    FeedbackEffect.RATE_LIMITED: "are beyond the limit of their entity",
    FeedbackEffect.ERASED: "are on erased predictions",
}


@dataclass(frozen=True, slots=True)
class FeedbackEffects:
    """The feedback received since a moment, by effect."""

    since: datetime
    effects: Effects

    @property
    def events(self) -> int:
        """The number of events."""
        return self.effects.total()

    @property
    def without_effect(self) -> int:
        """The number of events that can change no label."""
        return self.events - self.effects[FeedbackEffect.COUNTED]

    def judge(self) -> tuple[Verdict, str]:
        """Judge the feedback: low if most of it can change no label; the reason names the causes, largest first."""
        if self.events < MIN_EVENTS:
            return Verdict.INSUFFICIENT, f"{self.events} events in a day, fewer than the {MIN_EVENTS} a verdict needs"
        if 2 * self.without_effect <= self.events:
            return Verdict.OK, ""
        return Verdict.LOW, f"{self.without_effect:,} of {self.events:,} events of a day change no label: {self.causes}"

    @property
    def causes(self) -> str:
        """The causes for which events change no label with the number of events of each, largest first."""
        return ", ".join(f"{number:,} {_CAUSES[cause]}" for cause, number in self._causes())

    def to_json(self) -> dict[str, Any]:
        """Show the counts as JSON objects."""
        return {
            "since": format_time(self.since),
            "events": self.events,
            "without_effect": self.without_effect,
            "by_cause": {cause.value: number for cause, number in self._causes()},
        }

    def _causes(self) -> list[tuple[FeedbackEffect, int]]:
        found = ((cause, self.effects[cause]) for cause in _CAUSES)
        return sorted(((cause, number) for cause, number in found if number), key=lambda entry: -entry[1])


def effects_of_a_day(store: EffectStore, model: str, now: datetime) -> FeedbackEffects | None:
    """Read the feedback of the last 24 hours, the present one among them; None where two days had none.

    A day without feedback after one with some still is a result: it ends the verdict of the day before.
    """
    last = hour_of(now)
    since = last - WINDOW + _HOUR
    found = store.between(model, since - WINDOW, last)
    return FeedbackEffects(since, total(found, since)) if found else None

"""Trigger checks by the clock, and by alarms that may speak of several models."""

from dataclasses import dataclass

from hindsight.core.schedule import Tick
from hindsight.triggers.decide import Occasion
from hindsight.triggers.decision import Cause, Decision
from hindsight.triggers.evaluation.alarm import Alarm, alarm_moment, alarm_signal, checks_behind, concerns
from hindsight.triggers.evaluation.checker import TriggerChecker
from hindsight.validation.timestamps import ClientTimestamps


@dataclass(frozen=True, slots=True)
class TriggerSweep:
    """Checks one model at a time, on a schedule or because an alarm speaks of it."""

    checker: TriggerChecker
    trust: ClientTimestamps

    def on_schedule(self, tick: Tick) -> Decision:
        """Check the model the event names."""
        occasion = Occasion(cause=Cause.SCHEDULE, event_id=tick.event_id)
        return self.checker.check(tick.model, occasion, now=tick.now)

    def concerns(self, alarm: Alarm, model: str) -> bool:
        """Match an alarm against a model that it asks to check."""
        return concerns(alarm, model, self.checker.checks)

    def on_alarm(self, alarm: Alarm, message_id: str, model: str) -> list[Decision]:
        """Check a model, if the alarm concerns it."""
        if not self.concerns(alarm, model):
            return []
        now = alarm_moment(alarm, checks_behind(alarm, model, self.checker.checks), self.trust)
        occasion = Occasion(cause=Cause.ALARM, event_id=message_id)
        return [self.checker.check(model, occasion, now=now, event=alarm_signal(alarm, now))]

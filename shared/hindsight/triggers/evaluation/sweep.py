"""Trigger evaluations by the clock, and by alarms that may concern several models."""

from dataclasses import dataclass

from hindsight.core.fan_out import ScheduledEvent
from hindsight.triggers.decision import Decision
from hindsight.triggers.evaluation.alarm import Alarm, alarm_moment, alarm_signal, checks_behind, concerns
from hindsight.triggers.evaluation.evaluator import TriggerEvaluator
from hindsight.triggers.inputs import Cause, TriggerEvent
from hindsight.validation.timestamps import ClientTimestamps


@dataclass(frozen=True, slots=True)
class TriggerSweep:
    """The sweep over models' triggers, on a schedule or because an alarm concerns a model."""

    evaluator: TriggerEvaluator
    trust: ClientTimestamps

    def on_schedule(self, scheduled: ScheduledEvent) -> Decision:
        """Evaluate the model the event names."""
        event = TriggerEvent(cause=Cause.SCHEDULE, event_id=scheduled.event_id)
        return self.evaluator.evaluate(scheduled.model, event, now=scheduled.now)

    def concerns(self, alarm: Alarm, model: str) -> bool:
        """Match an alarm against a model whose triggers it asks to evaluate."""
        return concerns(alarm, model, self.evaluator.checks)

    def on_alarm(self, alarm: Alarm, message_id: str, model: str) -> list[Decision]:
        """Evaluate a model, if the alarm concerns it."""
        if not self.concerns(alarm, model):
            return []
        now = alarm_moment(alarm, checks_behind(alarm, model, self.evaluator.checks), self.trust)
        event = TriggerEvent(cause=Cause.ALARM, event_id=message_id, signal=alarm_signal(alarm, now))
        return [self.evaluator.evaluate(model, event, now=now)]

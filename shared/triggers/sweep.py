"""Trigger checks of many models at once: one that fails does not stop the others."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shared.capture.clocks import ClientTimestamps
from shared.errors import HindsightError
from shared.schedule import Tick
from shared.triggers.alarm import Alarm, affected_models, alarm_moment, alarm_signal, checks_behind
from shared.triggers.checker import TriggerChecker
from shared.triggers.decide import Occasion
from shared.triggers.decision import Cause, Decision


class ChecksFailed(HindsightError):
    """The checks of some models failed; the others were made, and making them again is safe."""

    code = "checks_failed"


@dataclass(frozen=True, slots=True)
class TriggerSweep:
    """Checks all models by schedule, and those an alarm speaks of."""

    checker: TriggerChecker
    trust: ClientTimestamps

    def on_schedule(self, tick: Tick) -> list[Decision]:
        """Check every model, or the one the event names. Raises ChecksFailed once all have been tried."""
        models = [tick.model] if tick.model else self.checker.configurations.models()
        occasion = Occasion(cause=Cause.SCHEDULE, event_id=tick.event_id)
        return _each(models, lambda model: self.checker.check(model, occasion, now=tick.now))

    def on_alarm(self, alarm: Alarm, message_id: str) -> list[Decision]:
        """Check the models an alarm speaks of; none if it went back to normal. Raises as ``on_schedule`` does."""
        if not alarm.rings:
            return []
        checks = self.checker.checks
        occasion = Occasion(cause=Cause.ALARM, event_id=message_id)

        def check(model: str) -> Decision:
            now = alarm_moment(alarm, checks_behind(alarm, model, checks), self.trust)
            return self.checker.check(model, occasion, now=now, event=alarm_signal(alarm, now))

        return _each(affected_models(alarm, self.checker.configurations.models(), checks), check)


def _each(models: Iterable[str], check: Callable[[str], Decision]) -> list[Decision]:
    decisions, failures = [], []
    for model in models:
        try:
            decisions.append(check(model))
        except Exception as error:  # noqa: BLE001  whatever is wrong with one model is not the others' fault
            failures.append((model, error))
    if failures:
        names = ", ".join(f"{model} ({type(error).__name__}: {error})" for model, error in failures)
        raise ChecksFailed(f"could not check {names}") from failures[0][1]
    return decisions

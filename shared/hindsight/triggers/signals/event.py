"""The signals that an event carries, each enough alone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hindsight.core.times import format_time
from hindsight.triggers.inputs import TriggerInputs
from hindsight.triggers.signals.signal import Signal
from hindsight.triggers.status import SignalRole, SignalStatus


class EventSignal(Signal):
    """Active from its event on, until a run answers it."""

    @classmethod
    def raised(cls, at: datetime, reason: str, details: Mapping[str, Any]) -> SignalStatus:
        """Build the signal of an event."""
        return cls.status(reason or "no reason given", details, since=at, role=SignalRole.SUFFICIENT)

    def observe(self, inputs: TriggerInputs) -> SignalStatus:
        """Take the signal from the event, unless a run has answered it."""
        raised = inputs.event.signal
        if raised is None or raised.kind != self.kind or raised.since is None:
            return self.status("none that no run has answered", role=SignalRole.SUFFICIENT)
        if not self.is_answered(raised.since, inputs):
            return raised
        reason = f"{raised.reason}, at {format_time(raised.since)}: the run that began after it has it in view"
        return self.status(reason, raised.details, role=SignalRole.SUFFICIENT)

    def stays_pending(self, _pending: SignalStatus, _inputs: TriggerInputs, /) -> bool:
        """Keep what an event asked for until a run answers it."""
        return True

    def is_answered(self, _at: datetime, _inputs: TriggerInputs, /) -> bool:
        """Judge whether an event of a moment needs no run any more."""
        return False


class AlarmSignal(EventSignal):
    """A CloudWatch alarm went off."""

    kind = "alarm"
    clause = "an alarm went off"

    def is_answered(self, at: datetime, inputs: TriggerInputs) -> bool:
        """Compare the alarm with the last run, which began with the alarm's cause in view.

        A message delivered twice, or after the scheduled check that acted on the same numbers, must not be a second
        run.
        """
        last = inputs.state.last_run_started_at
        return last is not None and at <= last and not inputs.state.last_run_failed


class ManualSignal(EventSignal):
    """A person asked for a run."""

    kind = "manual"
    clause = "a run was requested"

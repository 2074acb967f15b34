"""The schedule: due a period after the last run began."""

from hindsight.core.times import format_time
from hindsight.triggers.inputs import TriggerInputs
from hindsight.triggers.signals.signal import Signal
from hindsight.triggers.status import SignalStatus


class ScheduleSignal(Signal):
    """Active as long as it is due; one whose run failed stays pending until a run does not fail."""

    kind = "schedule"
    clause = "the schedule is due"

    def observe(self, inputs: TriggerInputs) -> SignalStatus:
        """Compare the due date with now."""
        every, last = inputs.policy.schedule, inputs.state.last_run_started_at
        if every is None:
            return self.not_configured()
        # Without a champion nothing can be predicted: the first version is due at once, and again after a rejection.
        due = inputs.now if last is None or inputs.champion is None else last + every
        details = {"every_seconds": every.total_seconds(), "due_at": format_time(due)}
        if due > inputs.now:
            return self.status(f"due at {details['due_at']}", details)
        return self.status(f"due since {details['due_at']}", details, since=due)

    def stays_pending(self, _pending: SignalStatus, inputs: TriggerInputs) -> bool:
        """Keep the schedule of a run that failed: the run's start has moved the next due date a whole period away."""
        return inputs.policy.schedule is not None and inputs.state.last_run_failed

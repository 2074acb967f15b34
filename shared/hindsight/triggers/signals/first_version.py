"""The first version: trained by itself once there are labels enough."""

from hindsight.core.times import format_time
from hindsight.triggers.inputs import TriggerInputs
from hindsight.triggers.signals.signal import Signal
from hindsight.triggers.state import RunOutcome
from hindsight.triggers.status import SignalRole, SignalStatus

MIN_LABELS = 70
"""Labels below which no dataset passes its check, however few ``min_new_labels`` asks for."""


class FirstVersionSignal(Signal):
    """Active as long as no version serves and enough labels are due.

    After a run that was skipped, which starts no cooldown, it waits for that long all the same: the same labels would
    be skipped again every hour.
    """

    kind = "first_version"
    clause = "there are enough labels for a first version"

    def observe(self, inputs: TriggerInputs) -> SignalStatus:
        """Compare the labels that are due with those that a run needs."""
        if not inputs.policy.first_version:
            return self.not_configured()
        if inputs.champion is not None:
            return self.status("a version serves", role=SignalRole.NOT_CONFIGURED)
        need, due = max(inputs.policy.min_new_labels, MIN_LABELS), inputs.new_labels
        if due is None:
            return self.status("not counted while a run is open", {"need": need})
        details = {"labels_due": due, "need": need}
        if due < need:
            return self.status(f"{due} of {need} labels are due{_later(inputs)}", details)
        state = inputs.state
        if state.last_outcome is RunOutcome.SKIPPED and state.last_run_started_at is not None:
            again = state.last_run_started_at + inputs.policy.cooldown
            if inputs.now < again:
                return self.status(f"the last run was skipped; the next is tried at {format_time(again)}", details)
        return self.status(f"{due} labels are due, {need} are needed", details, since=inputs.now)


def _later(inputs: TriggerInputs) -> str:
    return "" if inputs.upcoming is None else f"; {inputs.upcoming}"

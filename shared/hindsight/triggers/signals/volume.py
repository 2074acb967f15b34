"""The volume: labels that no snapshot has used yet."""

from hindsight.core.times import format_time
from hindsight.triggers.inputs import TriggerInputs
from hindsight.triggers.signals.signal import Signal
from hindsight.triggers.status import SignalStatus


class VolumeSignal(Signal):
    """Active as long as there are enough new labels."""

    kind = "volume"
    clause = "there are enough new labels"

    def observe(self, inputs: TriggerInputs) -> SignalStatus:
        """Compare the number of new labels with the threshold."""
        threshold, count, since = inputs.policy.volume, inputs.new_labels, inputs.state.last_snapshot_as_of
        if threshold is None:
            return self.not_configured()
        details = {"new_labels": count, "threshold": threshold, "since": format_time(since) if since else None}
        if count is None:
            return self.status("not counted while a run is open", details)
        if count < threshold:
            return self.status(f"{count} of {threshold} new labels", details)
        return self.status(f"{count} new labels reach {threshold}", details, since=inputs.now)

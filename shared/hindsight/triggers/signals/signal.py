"""The base of the signals: each kind observes its own inputs; one that no run has answered stays pending."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from hindsight.triggers.inputs import TriggerInputs
from hindsight.triggers.status import SignalRole, SignalStatus


class Signal(ABC):
    """One kind of signal that can ask for a retraining run.

    ``clause`` is what an active one means, as it stands in a sentence after "because".
    """

    kind: ClassVar[str]
    clause: ClassVar[str]

    def evaluate(self, inputs: TriggerInputs) -> SignalStatus:
        """Judge the signal: active where it is observed now, or pending from earlier and still valid."""
        status = self.observe(inputs)
        pending = inputs.state.pending_signals.get(self.kind)
        if pending is None or not self.stays_pending(pending, inputs):
            return status
        if not status.active:
            return pending.replace(role=status.role)
        return status.replace(since=min(filter(None, (status.since, pending.since))))

    @abstractmethod
    def observe(self, inputs: TriggerInputs) -> SignalStatus:
        """Judge the signal by what is known now."""

    def stays_pending(self, _pending: SignalStatus, _inputs: TriggerInputs, /) -> bool:
        """Judge whether a signal that no run has answered is still valid, although it may not be observed now."""
        return False

    @classmethod
    def status(
        cls,
        reason: str,
        details: Mapping[str, Any] | None = None,
        *,
        since: datetime | None = None,
        role: SignalRole = SignalRole.COUNTED,
    ) -> SignalStatus:
        """Build the status of this kind: active if it is so since some moment."""
        return SignalStatus(
            kind=cls.kind, active=since is not None, reason=reason, details=dict(details or {}), role=role, since=since
        )

    @classmethod
    def not_configured(cls) -> SignalStatus:
        """Build the status of a kind that the policy leaves out."""
        return cls.status("not configured", role=SignalRole.NOT_CONFIGURED)

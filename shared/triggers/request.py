"""A person's request to retrain."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from shared.capture.clocks import ClientTimestamps, parse_at
from shared.capture.intake import RequestItem, TimeText, parse_item
from shared.triggers.checker import TriggerChecker
from shared.triggers.decide import Occasion
from shared.triggers.decision import Cause, Decision
from shared.triggers.signal import Signal, SignalKind

MAX_REQUEST_BYTES = 16 * 1024


class RetrainingRequest(RequestItem):
    """The body of a request; ``force`` overrides all that holds a run back but an open one."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]
    force: bool = False
    occurred_at: TimeText | None = None


@dataclass(frozen=True, slots=True)
class RetrainingRequests:
    """Takes the requests of one deployment."""

    checker: TriggerChecker
    trust: ClientTimestamps

    def take(self, model: str, body: object, *, now: datetime, request_id: str, requested_by: str) -> Decision:
        """Decide on a request at ``now``, with trusted client timestamps at the moment it says.

        Raises InvalidInput with the path at fault, NotFound for an unknown model.
        """
        request = parse_item(RetrainingRequest, body, "")
        claimed = parse_at(request.occurred_at, "occurred_at") if request.occurred_at is not None else now
        moment = claimed if self.trust is ClientTimestamps.TRUSTED else now
        evidence = {"reason": request.reason, "requested_by": requested_by}
        return self.checker.check(
            model,
            Occasion(cause=Cause.MANUAL, event_id=request_id, requested_by=requested_by),
            now=moment,
            event=Signal(kind=SignalKind.MANUAL, at=moment, evidence=evidence),
            force=request.force,
        )

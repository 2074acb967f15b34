"""A person's request to retrain."""

from dataclasses import dataclass
from datetime import datetime

from hindsight.triggers.decide import Occasion
from hindsight.triggers.decision import Cause, Decision
from hindsight.triggers.evaluation.checker import TriggerChecker
from hindsight.triggers.signal import Signal, SignalKind
from hindsight.validation.items import parse_item
from hindsight.validation.operator_request import OperatorRequest
from hindsight.validation.timestamps import ClientTimestamps


class RetrainingRequest(OperatorRequest):
    """The body of a request; ``force`` overrides all that holds a run back but an open one."""

    force: bool = False


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
        moment = request.moment(now, self.trust)
        evidence = {"reason": request.reason, "requested_by": requested_by}
        return self.checker.check(
            model,
            Occasion(cause=Cause.MANUAL, event_id=request_id, requested_by=requested_by),
            now=moment,
            event=Signal(kind=SignalKind.MANUAL, at=moment, evidence=evidence),
            force=request.force,
        )

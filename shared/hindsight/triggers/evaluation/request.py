"""A person's request to retrain."""

from dataclasses import dataclass
from datetime import datetime

from hindsight.triggers.decision import Decision
from hindsight.triggers.evaluation.evaluator import TriggerEvaluator
from hindsight.triggers.inputs import Cause, TriggerEvent
from hindsight.triggers.signals.event import ManualSignal
from hindsight.validation.items import parse_item
from hindsight.validation.operator_request import OperatorRequest
from hindsight.validation.timestamps import ClientTimestamps


class RetrainingRequest(OperatorRequest):
    """The body of a request; ``force`` overrides all that blocks a run but an open one."""

    force: bool = False


@dataclass(frozen=True, slots=True)
class RetrainingRequests:
    """The intake of retraining requests of one deployment."""

    evaluator: TriggerEvaluator
    trust: ClientTimestamps

    def take(self, model: str, body: object, *, now: datetime, request_id: str, actor: str) -> Decision:
        """Decide on a request at ``now``, with trusted client timestamps at the moment it names.

        Raises InvalidInput with the path at fault, NotFound for an unknown model.
        """
        request = parse_item(RetrainingRequest, body, "")
        moment = request.moment(now, self.trust)
        event = TriggerEvent(
            cause=Cause.MANUAL,
            event_id=request_id,
            signal=ManualSignal.raised(moment, request.reason, {"actor": actor}),
            force=request.force,
        )
        return self.evaluator.evaluate(model, event, now=moment)

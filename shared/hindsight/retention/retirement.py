"""The retirement of a model: no checks, triggers or new data; what is kept stays until its retention ends."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from hindsight.config.store import ConfigurationStore, Retirement
from hindsight.core.executions import StateMachine
from hindsight.triggers.store import TriggerStore
from hindsight.validation.items import parse_item
from hindsight.validation.operator_request import TimedRequest
from hindsight.validation.timestamps import ClientTimestamps

_UNSTATED = "retired"


class RetirementRequest(TimedRequest):
    """The body of a request; it may be absent."""

    reason: Annotated[str, Field(min_length=1, max_length=500)] = _UNSTATED


@dataclass(frozen=True, slots=True)
class Retirements:
    """The requests to retire models."""

    configurations: ConfigurationStore
    triggers: TriggerStore
    machine: StateMachine
    trust: ClientTimestamps

    def take(self, model: str, body: object, *, now: datetime, actor: str) -> Retirement:
        """Retire a model and stop its run; of a retired model the first record stays.

        The run is stopped last: from then on none can begin. Raises InvalidInput with the path at fault, NotFound for
        an unknown model; sending the request again is safe.
        """
        request = parse_item(RetirementRequest, body, "")
        asked = Retirement(reason=request.reason, actor=actor, at=request.moment(now, self.trust))
        retirement = self.configurations.retire(model, asked)
        run = self.triggers.load(model).open_run
        if run is not None:
            self.machine.stop(run.decision_id, f"the model is retired: {retirement.reason}")
        return retirement

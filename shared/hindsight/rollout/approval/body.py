"""The body of an approval or a rejection."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from hindsight.core.errors import Fault, InvalidInput
from hindsight.rollout.approval.approval import Answer
from hindsight.validation.items import parse_item
from hindsight.validation.operator_request import TimedRequest
from hindsight.validation.timestamps import ClientTimestamps


class AnswerBody(TimedRequest):
    """The body of an approval or a rejection; ``override`` goes against the gate's verdict, and needs a reason."""

    reason: Annotated[str, Field(max_length=500)] = ""
    override: bool = False

    def answer(self, *, approved: bool, actor: str, now: datetime, trust: ClientTimestamps) -> Answer:
        """Build the answer, given now or, with trusted timestamps, at the body's time. Raises InvalidInput."""
        return Answer(approved=approved, actor=actor, reason=self.reason, at=self.moment(now, trust))


def read_answer(raw: object) -> AnswerBody:
    """Read the body of an approval or a rejection. Raises InvalidInput with the paths at fault."""
    body = parse_item(AnswerBody, raw, "")
    if body.override and not body.reason:
        raise InvalidInput("an override needs a reason", (Fault("reason", "is required with override"),))
    return body

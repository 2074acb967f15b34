"""The body of an answer."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from hindsight.core.errors import Fault, InvalidInput
from hindsight.rollout.approval.approval import Answer
from hindsight.validation.items import parse_item
from hindsight.validation.operator_request import TimedRequest
from hindsight.validation.timestamps import ClientTimestamps


class AnswerBody(TimedRequest):
    """What a person says with a rejection."""

    reason: Annotated[str, Field(max_length=500)] = ""

    def answer(self, *, approved: bool, by: str, now: datetime, trust: ClientTimestamps) -> Answer:
        """Return the answer, given now or, with trusted timestamps, when it says. Raises InvalidInput."""
        return Answer(approved=approved, by=by, reason=self.reason, at=self.moment(now, trust))


class ApproveBody(AnswerBody):
    """What a person says with an approval; ``override`` is for a version that the gate rejected, and needs a reason."""

    override: bool = False


def read_rejection(raw: object) -> AnswerBody:
    """Return the body of a rejection. Raises InvalidInput with the paths at fault."""
    return parse_item(AnswerBody, raw, "")


def read_approval(raw: object) -> ApproveBody:
    """Return the body of an approval. Raises InvalidInput with the paths at fault."""
    body = parse_item(ApproveBody, raw, "")
    if body.override and not body.reason:
        raise InvalidInput("an override needs a reason", (Fault("reason", "is required with override"),))
    return body

"""The body of an operator's request about reviews."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from hindsight.review.tasks.task import ReviewAudit
from hindsight.validation.operator_request import TimedRequest
from hindsight.validation.timestamps import ClientTimestamps


class ReviewOperation(TimedRequest):
    """A request with its reason, if one is given."""

    reason: Annotated[str, Field(min_length=1, max_length=500)] | None = None

    def audit(self, actor: str, now: datetime, trust: ClientTimestamps) -> ReviewAudit:
        """Build the audit of the request, made now or, where times are trusted, at its own. Raises InvalidInput."""
        return ReviewAudit(actor=actor, at=self.moment(now, trust), reason=self.reason)

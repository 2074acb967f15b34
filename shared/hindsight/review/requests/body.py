"""The body of an operator's request about reviews."""

from datetime import datetime

from hindsight.review.tasks.task import ReviewAudit
from hindsight.validation.operator_request import Reason, TimedRequest
from hindsight.validation.timestamps import ClientTimestamps


class ReviewOperation(TimedRequest):
    """A request with its reason, if one is given."""

    reason: Reason | None = None

    def audit(self, actor: str, now: datetime, trust: ClientTimestamps) -> ReviewAudit:
        """Build the audit of the request, made now or, where times are trusted, at its own. Raises InvalidInput."""
        return ReviewAudit(actor=actor, at=self.moment(now, trust), reason=self.reason)

"""The configuration of feedback: tokens and rate limits."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from hindsight.config.types import PositiveDuration, Section


class FeedbackToken(Section):
    """The requirement of the token that its prediction came with, and how long a token is valid."""

    required: bool = False
    """Feedback is taken only with the token that came with its prediction."""
    expires: PositiveDuration = timedelta(days=30)
    """A token is good for that long."""


class EntityLimit(Section):
    """The events on the predictions of one entity that count in each span of time, by when they were received."""

    count: Annotated[int, Field(ge=1, le=1_000)]
    """So many events on the predictions of one entity count in each span of time; others go to quarantine."""
    per: PositiveDuration
    """The span of time."""


class FeedbackLimits(Section):
    """The limits on feedback."""

    per_entity: EntityLimit | None = None
    """The most events of one entity that count."""


class FeedbackRules(Section):
    """The requirements of feedback besides that a rule reads it."""

    token: FeedbackToken = FeedbackToken()
    """The proof that feedback's sender saw the prediction, if one is required."""
    limits: FeedbackLimits = FeedbackLimits()
    """The amount of feedback that counts."""

"""Rules of who may send feedback about a prediction, and how much."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from hindsight.config.types import PositiveDuration, Section


class FeedbackToken(Section):
    """Whether feedback needs the token that its prediction was answered with, and how long one is good."""

    required: bool = False
    expires: PositiveDuration = timedelta(days=30)


class EntityLimit(Section):
    """How many events on the predictions of one entity count in each span of time, by when they were received."""

    count: Annotated[int, Field(ge=1, le=1_000)]
    per: PositiveDuration


class FeedbackLimits(Section):
    """How much feedback may be sent."""

    per_entity: EntityLimit | None = None


class FeedbackRules(Section):
    """What is asked of feedback besides that a rule reads it."""

    token: FeedbackToken = FeedbackToken()
    limits: FeedbackLimits = FeedbackLimits()

"""The configuration of review: the selection of predictions and the sharing of the work."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from hindsight.config.types import Fraction, PositiveDuration, Section


class ReviewStrategy(StrEnum):
    """The measure of a prediction's uncertainty."""

    LEAST_CONFIDENCE = "least_confidence"
    MARGIN = "margin"
    ENTROPY = "entropy"


class Review(Section):
    """The audit sample and the active-learning budget.

    A reviewer has a task for ``lease``; one that has been open for ``expires`` is offered no more. ``blind``: reviewers
    do not see the score and the decision, which would sway them. ``guidelines`` is shown with the queue.
    """

    random_rate: Fraction = 0.0
    uncertain_per_day: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    strategy: ReviewStrategy = ReviewStrategy.MARGIN
    diversity: Fraction = 0.3
    lease: PositiveDuration = timedelta(minutes=15)
    expires: PositiveDuration = timedelta(days=14)
    overlap: Annotated[int, Field(ge=1, le=10)] = 1
    blind: bool = True
    guidelines: Annotated[str, Field(max_length=10_000)] = ""

    @property
    def asks_for_answers(self) -> bool:
        """True where predictions are selected at all."""
        return self.random_rate > 0 or self.uncertain_per_day > 0

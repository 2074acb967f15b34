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
    """The audit sample and the active-learning budget."""

    random_rate: Fraction = 0.0
    """The share of all predictions that are reviewed, with any score: the audit."""
    uncertain_per_day: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """So many more a day are reviewed because the model is unsure of them."""
    strategy: ReviewStrategy = ReviewStrategy.MARGIN
    """The measure of uncertainty."""
    diversity: Fraction = 0.3
    """0 ignores how alike the chosen rows are, 1 gives every kind of row the same weight."""
    lease: PositiveDuration = timedelta(minutes=15)
    """A reviewer has a task for that long."""
    expires: PositiveDuration = timedelta(days=14)
    """A task is offered for that long."""
    overlap: Annotated[int, Field(ge=1, le=10)] = 1
    """So many people answer each task."""
    blind: bool = True
    """Reviewers do not see score and decision, which would sway them."""
    guidelines: Annotated[str, Field(max_length=10_000)] = ""
    """The text that reviewers read with the queue."""

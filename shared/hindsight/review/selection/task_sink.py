"""The port that keeps review tasks, one a prediction."""

from collections.abc import Sequence
from typing import Protocol

from hindsight.config.model import ModelConfiguration
from hindsight.review.selection.sample import SampledPrediction


class ReviewTasks(Protocol):
    """The review tasks of all models."""

    def add(self, sampled: Sequence[SampledPrediction], configuration: ModelConfiguration) -> int:
        """Make a task of each sampled prediction of one model; return how many are new.

        A prediction that has a task already keeps it with the probability it has, so that adding the same again
        changes nothing. Raises Unavailable.
        """

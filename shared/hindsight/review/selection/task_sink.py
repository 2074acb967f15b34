"""Where review tasks are kept, one a prediction."""

from collections.abc import Sequence
from typing import Protocol

from hindsight.config.model import ModelConfiguration
from hindsight.review.selection.sample import Pick


class ReviewTasks(Protocol):
    """The review tasks of all models."""

    def add(self, picks: Sequence[Pick], configuration: ModelConfiguration) -> int:
        """Make a task of each pick of one model; return how many are new.

        A prediction that has a task already keeps it with the probability it has, so that adding the same picks again
        changes nothing. Raises Unavailable.
        """

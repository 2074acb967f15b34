"""A prediction that was sampled for review, and how likely that was."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hindsight.entities.prediction import PredictionKey


class SampleReason(StrEnum):
    """The reason why a prediction is reviewed."""

    AUDIT = "audit"
    UNCERTAIN = "uncertain"
    REQUESTED = "requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledPrediction:
    """One prediction to review.

    ``selection_probability`` is the probability, over both the audit sample and active learning, with which the
    prediction was to be reviewed, in (0, 1]: an evaluation on reviewed rows weighs each by its inverse.
    ``sampled_at`` is the moment the prediction was received.
    """

    key: PredictionKey
    reason: SampleReason
    selection_probability: float
    sampled_at: datetime

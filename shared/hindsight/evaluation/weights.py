"""Weights of labels: the predictions that each stands for.

Where only some predictions are logged, or only some have a label because a person was asked or a decision was taken to
explore, each labelled one stands for 1 over the probability with which it was to be seen (Horvitz and Thompson, 1952);
what is measured divides by the sum of the weights (Hájek, 1971). docs/weights.md says where they enter.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hindsight.config.model import ModelConfiguration
from hindsight.entities.label_row import LabelFields
from hindsight.evaluation.metrics import Floats
from hindsight.label_records.columns import Mask
from hindsight.label_records.rows import LabelRows

_MIN_PROBABILITY = 1e-9
_DECIMALS = 9  # 0.9 / (0.9 * 0.02) is 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """The sampling of n labels, as arrays of shape (n,), NaN where there is no such number.

    ``logged_for`` is the number of predictions for which one was logged, ``propensity`` the probability of the decision
    that was taken, given the version that answered; ``selection_probability`` that of a review. Those
    ``reviewed_alone`` have no label from elsewhere.
    """

    logged_for: Floats
    propensity: Floats
    selection_probability: Floats
    reviewed_alone: Mask

    @classmethod
    def of(cls, records: Sequence[LabelFields]) -> "Sampling":
        """Read the sampling of newest label records."""
        rows = LabelRows.of(records)
        return cls(
            logged_for=rows.values("weight").numbers,
            propensity=rows.values("propensity").numbers,
            selection_probability=rows.values("selection_probability").numbers,
            reviewed_alone=rows.is_reviewed_alone(),
        )

    @property
    def most_logged_for(self) -> float:
        """The largest number of predictions for which one was logged, at least 1."""
        return float(np.fmax.reduce(self.logged_for, initial=1.0))

    def weights(self, configuration: ModelConfiguration) -> Floats:
        """Compute the weights under a configuration; see ``label_weights``."""
        weights = np.where(self.logged_for > 1, self.logged_for, 1.0)
        if configuration.labels.labels_every_prediction:
            return weights
        drawn = self.reviewed_alone & _is_probability(self.selection_probability)
        weights[drawn] *= 1 / np.maximum(self.selection_probability[drawn], _MIN_PROBABILITY)
        is_uncertain = _is_probability(self.propensity) & (self.propensity < 1)
        seen = is_uncertain & ~self.reviewed_alone
        weights[seen] *= _inverse(self.propensity[seen])
        share = _exploration_part(configuration)
        if share is not None:
            hidden = is_uncertain & drawn
            weights[seen] *= share
            weights[hidden] *= (1 - share) * _inverse(self.propensity[hidden])
        return weights


def label_weights(records: Sequence[LabelFields], configuration: ModelConfiguration) -> Floats:
    """Compute the number of predictions that each newest label record stands for under a configuration, shape (n,).

    It is the product of

    - the number of predictions for which it was logged;
    - 1/p, where p is the propensity of the decision that was taken, given the version that answered: the outcome was
      seen because that decision was taken;
    - for a reviewer's label 1/π, where π is the probability with which the prediction was to be reviewed, but only
      where it would have had no label without the review. It stands for itself alone where this one has had a value
      from another kind: as many as its like have that too, whether or not they were reviewed.

    Neither of the last two counts where every prediction is labelled in the end, nor a probability that is no number
    in (0, 1]. Where an outcome that a decision hides may be seen in both ways, by exploration and by the audit, each
    way is unbiased alone and gets its part of the weight (two frames; Hartley, 1962).

    >>> record = {"kind": "manual", "selection_probability": 0.02}
    >>> from hindsight.testing.builders.configuration import configuration
    >>> label_weights([record, {**record, "labelled_without_review": True}], configuration()).tolist()
    [50.0, 1.0]
    >>> label_weights([{"kind": "outcome", "weight": 10.0, "propensity": 0.02}], configuration()).tolist()
    [500.0]
    """
    return Sampling.of(records).weights(configuration)


def max_label_weight(configuration: ModelConfiguration, records: Sequence[LabelFields] = ()) -> float:
    """Compute the largest weight that a label can have, as it is known before the label.

    It is that of a prediction which only the audit could pick, or which only exploration could show, times the largest
    number of predictions that one was logged for. What the app alone knows, that number and the propensities where it
    explores by itself, is read from the ``records``, labelled or not, and rounded up to a power of two: small changes
    of it must not begin a test again.
    """
    sampling = Sampling.of(records)
    of_audit, of_exploration = max_weights(configuration, Sampling.of(()))
    seen = round_up(max_weights(configuration, sampling)[1])
    declared = max(of_audit, of_exploration)
    return round_up(sampling.most_logged_for) * (declared if seen <= round_up(declared) else seen)


def max_weights(configuration: ModelConfiguration, sampling: Sampling) -> tuple[float, float]:
    """Compute the largest weights that the audit and exploration can give, beside the number that one is logged for."""
    if configuration.labels.labels_every_prediction:
        return 1.0, 1.0
    rate, explored = configuration.review.random_rate, configuration.exploration
    part = _exploration_part(configuration)
    least = [] if explored is None else [explored.share]
    inverse = _inverse(np.array([*least, *sampling.propensity[_is_probability(sampling.propensity)]]))
    largest = float(inverse.max(initial=1.0))
    return 1 / rate if rate > 0 else 1.0, largest if part is None else max(1.0, part * largest)


def round_up(weight: float) -> float:
    """Round a weight up to a power of two.

    >>> round_up(1.0), round_up(10.0)
    (1.0, 16.0)
    """
    return float(np.exp2(np.ceil(np.log2(weight))))


def effective_rows(weights: Floats) -> float:
    """Compute the number of equally weighted rows with as much information (Kish, 1965).

    >>> effective_rows(np.array([1.0, 1.0, 1.0])), round(effective_rows(np.array([1.0, 1.0, 50.0])), 2)
    (3.0, 1.08)
    """
    squares = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def _exploration_part(configuration: ModelConfiguration) -> float | None:
    """Compute the part of exploration in the weight of what the audit can show too, None where one of them is off.

    In proportion to what each of them shows: then all that the audit picks, or exploration, has the same weight.
    """
    explored, rate = configuration.exploration, configuration.review.random_rate
    if explored is None or rate <= 0:
        return None
    return explored.share / (explored.share + (1 - explored.share) * rate)


def _is_probability(numbers: Floats) -> Mask:
    found: Mask = (numbers > 0) & (numbers <= 1)
    return found


def _inverse(probabilities: Floats) -> Floats:
    found: Floats = np.round(1 / np.maximum(probabilities, _MIN_PROBABILITY), _DECIMALS)
    return found

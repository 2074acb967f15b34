"""The comparison of two versions as values from 0 to 1, one half where they are alike, for the test of a rollout."""

from dataclasses import dataclass, replace

import numpy as np

from hindsight.config.metrics import Metric
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.metrics import Floats
from hindsight.evaluation.sequential.betting import Hypothesis
from hindsight.evaluation.sequential.observation import Scale
from hindsight.evaluation.sequential.sequential_test import NONE_WAITING, WaitingLabels

ALIKE = 0.5
MAX_WAITING = 200

_ON_OTHER_ROWS = frozenset({Metric.PRECISION, Metric.F1})  # which rows count depends on the decisions


@dataclass(frozen=True, slots=True)
class Comparison:
    """The ``values`` of new labels, those of the ``reverse`` claim, and the labels left over.

    The mean of ``values`` is one half where the versions are alike, less where the version is worse. That of
    ``reverse`` is the reverse claim's null where the version is worse by all that is allowed, less where it is better.
    """

    values: Floats
    reverse: Floats
    waiting: WaitingLabels


def difference_hypothesis(scale: Scale) -> Hypothesis:
    """Build the null of a rollout: the version is no worse than the champion, on a comparison's values.

    Stakes break even where it is worse by all that is allowed.
    """
    return Hypothesis(ALIKE, ALIKE - _allowed(scale) / 2)


def reverse_hypothesis(scale: Scale) -> Hypothesis:
    """Build the null of the reverse claim: the version is worse than the champion by all that is allowed, or by more.

    Stakes break even where it is no worse.
    """
    return Hypothesis(ALIKE + _allowed(scale) / 2, ALIKE)


def _allowed(scale: Scale) -> float:
    """Compute by how much the mean of a side's values may be lower.

    F1 is no mean itself: ``1`` for a hit and ``null / 2`` for an error are the null in the mean where F1 is, and less
    than F1 falls where it falls.
    """
    if scale.metric is not Metric.F1:
        return scale.hypothesis.null - scale.hypothesis.limit
    hits = scale.limit / (2 - scale.limit)
    return scale.null - (hits + scale.null / 2 * (1 - hits))


def compare(
    scale: Scale, version: LabelledPredictions, champion: LabelledPredictions, waiting: WaitingLabels
) -> Comparison:
    """Compare the predictions of two versions for different rows of one time.

    The values of both sides, in the order their labels matured, are cut into as many consecutive blocks as the shorter
    side has values; each block gives ``(1 + a - b) / 2`` of its means. A version that is no worse than the champion at
    any time makes values of at least one half in expectation, given all that went before, for any traffic;
    nothing about the values decides where blocks end (Shekhar & Ramdas, 2023, "Nonparametric two-sample testing by
    betting").
    """
    ours = scale.observe(unweighted(version), waiting.unpaired[0])
    others = scale.observe(unweighted(champion), waiting.unpaired[1])
    first = np.concatenate([waiting.values[0], ours.values])
    second = np.concatenate([waiting.values[1], others.values])
    unpaired = (ours.unpaired, others.unpaired)
    blocks = min(len(first), len(second))
    if not blocks:
        left = (tuple(first[-MAX_WAITING:].tolist()), tuple(second[-MAX_WAITING:].tolist()))
        return Comparison(np.array([]), np.array([]), WaitingLabels(unpaired=unpaired, values=left))
    return _comparison(_means(first, blocks) - _means(second, blocks), WaitingLabels(unpaired=unpaired))


def compare_paired(
    scale: Scale, version: LabelledPredictions, champion: LabelledPredictions, waiting: WaitingLabels
) -> Comparison:
    """Compare the predictions of two versions for the same rows.

    Which rows count for precision and F1 depends on the decisions, so that the two versions have different rows.
    Where they decide differently, one more positive decision is worth ``y - p`` of a precision of p, and ``2 y - f`` of
    an F1 of f, y being the label: at the champion's own p or f the sum is negative just where the version is worse
    (Narasimhan, Vaish & Agarwal, 2014, on what is linear in such metrics). What the champion proved at the gate is
    put for its own. Of a version that is worse by all that is allowed the sum is negative by as much for each of its
    positive decisions, for F1 by half of it for each of these and of the positive labels.
    """
    if scale.metric in _ON_OTHER_ROWS:
        labels, decided = (np.asarray(side, dtype=np.float64) for side in (champion.labels, version.decisions))
        more, drop = decided - champion.decisions, scale.null - scale.limit
        if scale.metric is Metric.F1:
            return _comparison(more * (2 * labels - scale.null) / 2, NONE_WAITING, scale, drop * (decided + labels) / 2)
        return _comparison(more * (labels - scale.null), NONE_WAITING, scale, drop * decided)
    ours = scale.observe(unweighted(version), waiting.unpaired[0])
    others = scale.observe(unweighted(champion), waiting.unpaired[1])
    return _comparison(ours.values - others.values, WaitingLabels(unpaired=(ours.unpaired, others.unpaired)))


def unweighted(answers: LabelledPredictions) -> LabelledPredictions:
    """Drop the weights of predictions whose rows were sampled evenly."""
    return replace(answers, sample_weights=None)


def _means(values: Floats, blocks: int) -> Floats:
    return np.array([block.mean() for block in np.array_split(values, blocks)])


def _comparison(
    differences: Floats, waiting: WaitingLabels, scale: Scale | None = None, drops: Floats | None = None
) -> Comparison:
    """Put differences on a scale from 0 to 1; ``drops`` are by how much each may be worse, where they are not alike."""
    spared = 0.0 if scale is None or drops is None else _allowed(scale) - drops
    values, reverse = (1 + differences) / 2, (1 - differences + spared) / 2
    return Comparison(np.asarray(values, dtype=np.float64), np.asarray(reverse, dtype=np.float64), waiting)

"""The comparison of two versions as values from 0 to 1, one half where they are alike, for the test of a rollout."""

from dataclasses import replace

import numpy as np

from hindsight.config.metrics import Metric
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.metrics import Floats
from hindsight.evaluation.sequential.betting import Hypothesis
from hindsight.evaluation.sequential.observation import Scale
from hindsight.evaluation.sequential.sequential_test import WaitingLabels

ALIKE = 0.5
MAX_WAITING = 200

_ON_OTHER_ROWS = frozenset({Metric.PRECISION, Metric.F1})  # which rows count depends on the decisions


def difference_hypothesis(scale: Scale) -> Hypothesis:
    """Build the null of a rollout: the version is no worse than the champion, on ``compare``'s values.

    Stakes break even where it is worse by all that is allowed.
    """
    allowed = scale.hypothesis.null - scale.hypothesis.limit
    return Hypothesis(ALIKE, ALIKE - allowed / 2)


def compare(
    scale: Scale, version: LabelledPredictions, champion: LabelledPredictions, waiting: WaitingLabels
) -> tuple[Floats, WaitingLabels]:
    """Compare the predictions of two versions for different rows of one time; return values and the unpaired rest.

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
        return np.array([]), WaitingLabels(unpaired=unpaired, values=left)
    return _values(_means(first, blocks) - _means(second, blocks)), WaitingLabels(unpaired=unpaired)


def compare_paired(
    scale: Scale, version: LabelledPredictions, champion: LabelledPredictions, waiting: WaitingLabels
) -> tuple[Floats, WaitingLabels]:
    """Compare the predictions of two versions for the same rows; return values and the unpaired rest.

    Which rows count for precision and F1 depends on the decisions, so that the two versions have different rows.
    Where they decide differently, one more positive decision is worth ``y - p`` of a precision of p, and ``2 y - f`` of
    an F1 of f, y being the label: at the champion's own p or f the sum is negative just where the version is worse
    (Narasimhan, Vaish & Agarwal, 2014, on what is linear in such metrics). What the champion proved at the gate is
    put for its own.
    """
    if scale.metric in _ON_OTHER_ROWS:
        more = np.asarray(version.decisions - champion.decisions, dtype=np.float64)
        worth = 2 * champion.labels - scale.null if scale.metric is Metric.F1 else champion.labels - scale.null
        return _values(more * worth / (2 if scale.metric is Metric.F1 else 1)), WaitingLabels()
    ours = scale.observe(unweighted(version), waiting.unpaired[0])
    others = scale.observe(unweighted(champion), waiting.unpaired[1])
    return _values(ours.values - others.values), WaitingLabels(unpaired=(ours.unpaired, others.unpaired))


def unweighted(answers: LabelledPredictions) -> LabelledPredictions:
    """Drop the weights of predictions whose rows were sampled evenly."""
    return replace(answers, sample_weights=None)


def _means(values: Floats, blocks: int) -> Floats:
    return np.array([block.mean() for block in np.array_split(values, blocks)])


def _values(differences: Floats) -> Floats:
    return np.asarray((1 + differences) / 2, dtype=np.float64)

"""Permutation importances: the loss of the metric where a feature's values are shuffled."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hindsight.config.features import FeatureType
from hindsight.evaluation.metrics import Floats, Values
from hindsight.training.fitting.labelled_frame import LabelledFrame
from hindsight.training.fitting.validation_split import thinned
from hindsight.training.models.scoring import LoadedVersion

MAX_FEATURES = 100
_MAX_ROWS, _MIN_ROWS = 2_000, 100
_MAX_REPEATS = 5
_ROWS_SCORED = 100_000  # the work there may be in all: a count, not a time, so that a repeated step finds the same
_GROUPS = 10


@dataclass(frozen=True, slots=True)
class Importance:
    """The mean loss of the metric over the repeats, and its standard deviation."""

    loss: float
    spread: float


def permutation_importances(version: LoadedVersion, rows: LabelledFrame, seed: int) -> dict[str, Importance]:
    """Compute the importance of features by how much worse the metric is without them, the greatest first.

    The values of one feature are shuffled among the rows (Breiman, 2001). Features that say the same share what
    they are worth: each seems to matter less than both do. Of more than a hundred those are tried whose values go
    most with the predictions. Those without an importance, since the metric is undefined, are left out.
    """
    names = _telling(version, rows)
    if not names or not len(rows.labels):
        return {}
    chosen = thinned(rows, min(_MAX_ROWS, max(_MIN_ROWS, _ROWS_SCORED // len(names))))
    repeats = min(_MAX_REPEATS, max(1, _ROWS_SCORED // (len(names) * len(chosen.labels))))
    metric = version.schema.metric
    whole = version.predict(chosen.frame).measure(metric, chosen.labels, chosen.weights)
    if whole is None:
        return {}
    sign = 1.0 if metric.greater_is_better else -1.0
    rng = np.random.default_rng(seed)
    found: dict[str, Importance] = {}
    for name in names:
        without = _measure_without(version, chosen, name, repeats, rng)
        if without is not None:
            losses = sign * (whole - without)
            found[name] = Importance(float(losses.mean()), float(losses.std()))
    return dict(sorted(found.items(), key=lambda entry: -entry[1].loss))


def _measure_without(
    version: LoadedVersion, rows: LabelledFrame, name: str, repeats: int, rng: np.random.Generator
) -> Floats | None:
    """Measure the metric of each repeat, shape (repeats,), None where it is undefined."""
    count = len(rows.labels)
    orders = [rng.permutation(count) for _ in range(repeats)]
    frame = rows.frame.iloc[np.tile(np.arange(count), repeats)].reset_index(drop=True)
    frame[name] = rows.frame[name].iloc[np.concatenate(orders)].to_numpy()
    predictions = version.predict(frame)
    measured = [
        predictions.at(np.arange(start, start + count)).measure(version.schema.metric, rows.labels, rows.weights)
        for start in range(0, repeats * count, count)
    ]
    known = [value for value in measured if value is not None]
    return np.array(known) if len(known) == repeats else None


def _telling(version: LoadedVersion, rows: LabelledFrame) -> list[str]:
    features = version.schema.features
    if len(features) <= MAX_FEATURES:
        return list(features)
    shown = thinned(rows, _MAX_ROWS)
    scores = version.predict(shown.frame).scores
    shares = {name: _share_explained(shown.frame[name], kind, scores) for name, kind in features.items()}
    kept = set(sorted(shares, key=lambda name: -shares[name])[:MAX_FEATURES])
    return [name for name in features if name in kept]


def _share_explained(column: "pd.Series[float]", kind: FeatureType, scores: Floats) -> float:
    """Compute the share of the scores' variance between groups of a column's values (the correlation ratio)."""
    codes = _groups(column, kind)
    counts = np.bincount(codes)
    sums = np.bincount(codes, scores)
    occurs = counts > 0
    between = float((sums[occurs] ** 2 / counts[occurs]).sum() - scores.sum() ** 2 / len(scores))
    total = float(((scores - scores.mean()) ** 2).sum())
    return between / total if total > 0 else 0.0


def _groups(column: "pd.Series[float]", kind: FeatureType) -> Values:
    if kind is FeatureType.CATEGORICAL:
        return pd.factorize(column)[0] + 1
    values = column.to_numpy(dtype=np.float64)
    present = np.isfinite(values)
    if not present.any():
        return np.zeros(len(values), dtype=np.intp)
    edges = np.unique(np.quantile(values[present], np.linspace(0, 1, _GROUPS + 1)[1:-1]))
    return np.where(present, np.searchsorted(edges, np.where(present, values, 0.0), side="right") + 1, 0)


def by_name(found: Mapping[str, Importance]) -> dict[str, dict[str, float]]:
    """Convert importances to JSON objects."""
    return {name: {"loss": one.loss, "spread": one.spread} for name, one in found.items()}

"""The training reference that drift is measured against."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from shared.configuration.features import FeatureType
from shared.training.scoring import Answers

SAMPLE_VALUES = 2_000
MOST_COUNTED = 1_000


def reference_profile(frame: pd.DataFrame, features: Mapping[str, FeatureType], answers: Answers) -> dict[str, Any]:
    """Return the profile of the features trained on and of the answers to the holdout.

    The scores are the holdout's, because on the rows it was trained on a model is surer of itself than it will be
    in service.
    """
    profile: dict[str, Any] = {
        "rows": len(frame),
        "features": {name: _profile_column(frame[name], kind) for name, kind in features.items()},
        "score": {"rows": len(answers.scores), **_profile_numbers(answers.scores)},
    }
    if answers.classes:
        profile["decision"] = {"rows": len(answers.decisions), **_profile_texts(answers.decisions.tolist())}
    return profile


def _profile_column(column: "pd.Series[Any]", kind: FeatureType) -> dict[str, Any]:
    if kind is FeatureType.NUMERIC:
        return _profile_numbers(column.to_numpy(dtype=np.float64))
    if kind is FeatureType.CATEGORICAL:
        return _profile_texts(column.tolist())
    flags = column.to_numpy(dtype=np.float64)
    counts = {"true": int((flags == 1).sum()), "false": int((flags == 0).sum())}
    return {"type": kind.value, "missing": int(np.isnan(flags).sum()), "counts": counts}


def _profile_numbers(values: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Return values of the column itself, sorted, at evenly spaced ranks: its distribution in at most 2,000 numbers."""
    present = np.sort(values[~np.isnan(values)])
    ranks = np.linspace(0, len(present) - 1, min(len(present), SAMPLE_VALUES)).round().astype(np.intp)
    sample = present[ranks].tolist() if len(present) else []
    return {"type": FeatureType.NUMERIC.value, "missing": len(values) - len(present), "sample": sample}


def _profile_texts(values: Iterable[str | None]) -> dict[str, Any]:
    counts = Counter(values)
    missing = counts.pop(None, 0)
    frequent = dict(sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))[:MOST_COUNTED])
    other = counts.total() - sum(frequent.values())
    return {"type": FeatureType.CATEGORICAL.value, "missing": missing, "counts": frequent, "other": other}

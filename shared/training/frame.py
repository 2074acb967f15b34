"""Features to columns: the one way there is, for training and for serving."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from shared.configuration.features import FeatureType
from shared.configuration.labels import canonical_text

# Squares of the largest doubles overflow in scaling; no quantity needs numbers beyond this.
_LARGEST = 1e100


def to_frame(rows: Sequence[Mapping[str, Any]], features: Mapping[str, FeatureType]) -> pd.DataFrame:
    """Return rows of features as typed columns, shape (rows, features), in the order of ``features``.

    Numeric and boolean columns are float64 (NaN where missing, booleans 0 and 1), categorical ones canonical text
    (None where missing). What does not fit its column's type counts as missing; undeclared features are left out.

    >>> to_frame([{"hour": 8, "warm": True}], {"hour": FeatureType.CATEGORICAL, "warm": FeatureType.BOOLEAN})
      hour  warm
    0    8   1.0
    """
    columns = {name: _COLUMNS[kind]([row.get(name) for row in rows]) for name, kind in features.items()}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(rows)))


def _numbers(values: list[Any]) -> npt.NDArray[np.float64]:
    column = np.array([_number(value) for value in values], dtype=np.float64)
    return np.clip(column, -_LARGEST, _LARGEST)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else np.nan


def _booleans(values: Iterable[Any]) -> npt.NDArray[np.float64]:
    return np.array([float(value) if isinstance(value, bool) else np.nan for value in values], dtype=np.float64)


def _texts(values: list[Any]) -> "pd.Series[Any]":
    return pd.Series([None if value is None else canonical_text(value) for value in values], dtype=object)


_COLUMNS = {FeatureType.NUMERIC: _numbers, FeatureType.BOOLEAN: _booleans, FeatureType.CATEGORICAL: _texts}

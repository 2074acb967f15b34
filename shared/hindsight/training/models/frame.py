"""The data frames that pipelines read."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from hindsight.config.features import FeatureType
from hindsight.datasets.formats.columns import TO_FLOATS, Categories, Column, to_texts


def to_frame(rows: Sequence[Mapping[str, Any]], features: Mapping[str, FeatureType]) -> pd.DataFrame:
    """Build a frame of features, shape (rows, features), in the order of ``features``.

    The columns are those of ``to_columns``: floats with NaN for missing, canonical text with None for missing.

    >>> to_frame([{"hour": 8, "warm": True}], {"hour": FeatureType.CATEGORICAL, "warm": FeatureType.BOOLEAN})
      hour  warm
    0    8   1.0
    """
    frame: dict[str, Any] = {}
    for name, kind in features.items():
        values = [row.get(name) for row in rows]
        # Texts go in as they are: for the row or two of a prediction a vocabulary is not worth its making.
        is_text = kind is FeatureType.CATEGORICAL
        frame[name] = pd.Series(to_texts(values), dtype=object) if is_text else TO_FLOATS[kind](values)
    return pd.DataFrame(frame, index=pd.RangeIndex(len(rows)))


def frame_of(columns: Mapping[str, Column], rows: int) -> pd.DataFrame:
    """Build the frame of columns as ``to_frame`` builds it from their rows."""
    frame = {
        name: pd.Series(column.texts(), dtype=object) if isinstance(column, Categories) else column
        for name, column in columns.items()
    }
    return pd.DataFrame(frame, index=pd.RangeIndex(rows))

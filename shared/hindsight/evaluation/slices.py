"""Slices of rows by a feature: its most frequent values, or the quarters of a numeric one."""

from collections.abc import Iterator, Sequence

import numpy as np

from hindsight.config.features import FeatureType
from hindsight.config.labels import canonical_text
from hindsight.entities.label_row import LabelFields
from hindsight.evaluation.metrics import Values
from hindsight.label_records.columns import Floats, ValueColumn
from hindsight.label_records.rows import LabelRows

SLICE_VALUES = 20
MISSING = "(missing)"


def slices_of(rows: Sequence[LabelFields], name: str, kind: FeatureType) -> Iterator[tuple[str, Values]]:
    """List at most 20 values of a feature, the most frequent first, each with the indices of its rows."""
    if not rows:
        return
    column = LabelRows.of(rows).feature(name)
    found, codes = _quarters(column.numbers) if kind is FeatureType.NUMERIC else _texts(column)
    counts = np.bincount(codes, minlength=len(found))
    by_code = np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])
    for position in np.argsort(-counts, kind="stable")[:SLICE_VALUES]:
        if counts[position]:
            yield str(found[position]), by_code[position]


def _texts(column: ValueColumn) -> tuple[Values, Values]:
    """List the different texts, sorted, and the place of each row's among them."""
    distinct, codes = column.distinct()
    texts = [MISSING if value is None else canonical_text(value) for value in distinct]
    found, places = np.unique(np.array(texts, dtype=np.str_), return_inverse=True)
    return found, places.reshape(-1)[codes]


def _quarters(numbers: Floats) -> tuple[Values, Values]:
    is_present = np.isfinite(numbers)
    if not is_present.any():
        return np.array([MISSING]), np.zeros(len(numbers), dtype=np.int64)
    edges = np.unique(np.quantile(numbers[is_present], [0.25, 0.5, 0.75]))
    names = [*(f"up to {edge:.12g}" for edge in edges), f"above {edges[-1]:.12g}", MISSING]
    found, places = np.unique(np.array(names), return_inverse=True)
    of_rows = np.where(is_present, np.searchsorted(edges, numbers).clip(0, len(edges)), len(names) - 1)
    return found, places.reshape(-1)[of_rows]

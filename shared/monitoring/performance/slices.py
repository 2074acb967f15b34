"""Rows told apart by a feature: its most frequent values, of a numeric one its quarters."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from shared.configuration.features import FeatureType
from shared.configuration.labels import canonical_text
from shared.monitoring.performance.metrics import Values, as_numbers

Row = Mapping[str, Any]

SLICE_VALUES = 20
MISSING = "(missing)"


def slices_of(rows: Sequence[Row], name: str, kind: FeatureType) -> Iterator[tuple[str, Values]]:
    """Yield at most 20 values of a feature, the most frequent first, each with the indices of its rows."""
    if not rows:
        return
    values = [row["features"].get(name) for row in rows]
    texts = _quarters(values) if kind is FeatureType.NUMERIC else _texts(values)
    found, codes, counts = np.unique(texts, return_inverse=True, return_counts=True)
    by_code = np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])
    for position in np.argsort(-counts, kind="stable")[:SLICE_VALUES]:
        yield str(found[position]), by_code[position]


def _texts(values: Sequence[object]) -> Values:
    return np.array([MISSING if value is None else canonical_text(value) for value in values], dtype=np.str_)


def _quarters(values: Sequence[object]) -> Values:
    numbers = as_numbers(values)
    present = numbers[np.isfinite(numbers)]
    if not len(present):
        return np.full(len(values), MISSING)
    edges = np.unique(np.quantile(present, [0.25, 0.5, 0.75]))
    names = [*(f"up to {edge:.12g}" for edge in edges), f"above {edges[-1]:.12g}"]
    return np.where(np.isfinite(numbers), np.array(names)[np.searchsorted(edges, numbers).clip(0, len(edges))], MISSING)

"""One feature's values in a window of rows, and what the training reference says of it, on common bins."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.configuration.features import FeatureType
from shared.configuration.labels import canonical_text

Floats = npt.NDArray[np.float64]

BINS = 10
MOST_DISTINCT = 20  # a numeric feature with no more values than this is compared value by value


@dataclass(frozen=True, slots=True)
class Column:
    """Values of one feature: sorted finite numbers, or counts by text; ``invalid`` are of another type."""

    rows: int
    missing: int
    numbers: Floats
    counts: Mapping[str, float]
    invalid: int = 0
    other: float = 0.0

    @property
    def missing_rate(self) -> float:
        """The share of the rows without a usable value."""
        return (self.missing + self.invalid) / self.rows if self.rows else 0.0

    @property
    def present(self) -> int:
        """The number of rows with a usable value."""
        return self.rows - self.missing - self.invalid


def read_column(values: Iterable[object], kind: FeatureType) -> Column:
    """Return a window's values of one feature; a value of another type, NaN and infinities are invalid, not fatal."""
    return _read_numbers(values) if kind is FeatureType.NUMERIC else _read_texts(values, kind)


def reference_column(profile: Mapping[str, Any], rows: int) -> Column:
    """Return what a version's reference profile says of one feature; no rows where it says nothing."""
    sample = np.sort(np.asarray(profile.get("sample", []), dtype=np.float64))
    numbers = sample[np.isfinite(sample)]
    counts = {str(text): float(count) for text, count in profile.get("counts", {}).items()}
    missing, other = int(profile.get("missing", 0)), float(profile.get("other", 0))
    told = missing + len(numbers) + int(sum(counts.values()) + other)
    return Column(max(rows, told) if told else 0, missing, numbers, counts, 0, other)


def common_bins(reference: Column, current: Column, kind: FeatureType) -> tuple[Floats, Floats]:
    """Return the counts of both columns on common bins, the last one of missing values; shapes (bins + 1,).

    Numbers fall between the deciles of the reference, or into its values where those are few. Categories the
    reference has not seen share one bin, with those too rare for it to name.
    """
    if kind is FeatureType.NUMERIC:
        expected, actual = _number_bins(reference.numbers, current.numbers)
        scale = reference.present / len(reference.numbers) if len(reference.numbers) else 0.0
        expected = expected * scale  # the sample stands for all rows of the training
    else:
        expected, actual = _text_bins(reference, current)
    return (
        np.append(expected, reference.missing + reference.invalid),
        np.append(actual, current.missing + current.invalid),
    )


def unseen_share(reference: Column, current: Column) -> float:
    """Return the share of a window's values in categories the reference has not seen."""
    if reference.other or not current.present:
        return 0.0
    return sum(count for text, count in current.counts.items() if text not in reference.counts) / current.present


def _read_numbers(values: Iterable[object]) -> Column:
    kept, missing, rows = [], 0, 0
    for value in values:
        rows += 1
        if value is None:
            missing += 1
        elif isinstance(value, int | float) and not isinstance(value, bool):
            kept.append(float(value))
    numbers = np.array(kept, dtype=np.float64)
    finite = np.sort(numbers[np.isfinite(numbers)])
    return Column(rows, missing, finite, {}, rows - missing - len(finite))


def _read_texts(values: Iterable[object], kind: FeatureType) -> Column:
    counted: Counter[str] = Counter()
    missing = invalid = rows = 0
    for value in values:
        rows += 1
        if value is None:
            missing += 1
        elif isinstance(value, bool) or (kind is FeatureType.CATEGORICAL and isinstance(value, int | float | str)):
            counted[canonical_text(value)] += 1
        else:
            invalid += 1
    return Column(rows, missing, np.array([]), counted, invalid)


def _number_bins(reference: Floats, current: Floats) -> tuple[Floats, Floats]:
    distinct = np.unique(reference)
    if len(distinct) <= MOST_DISTINCT:
        return _by_value(reference, distinct), _by_value(current, distinct)
    edges = np.unique(np.quantile(reference, np.arange(1, BINS) / BINS))
    return _between(reference, edges), _between(current, edges)


def _between(values: Floats, edges: Floats) -> Floats:
    return np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1).astype(np.float64)


def _by_value(values: Floats, distinct: Floats) -> Floats:
    counts = [float(np.count_nonzero(values == value)) for value in distinct]
    return np.array([*counts, len(values) - sum(counts)])


def _text_bins(reference: Column, current: Column) -> tuple[Floats, Floats]:
    named = sorted(reference.counts)
    unseen = sum(count for text, count in current.counts.items() if text not in reference.counts)
    expected = [*(reference.counts[text] for text in named), reference.other]
    return np.array(expected, dtype=np.float64), np.array([*(current.counts.get(text, 0) for text in named), unseen])

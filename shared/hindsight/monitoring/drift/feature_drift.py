"""Measurement of a feature: the distribution of its values, and the rates of its data quality."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple, Self

import numpy as np

from hindsight.config.features import Feature, FeatureType
from hindsight.config.monitoring import DriftMethod, Monitoring
from hindsight.monitoring.drift.bins import Bins, CategoryCounts, category_bins, number_bins
from hindsight.monitoring.drift.distance import (
    jensen_shannon_distance,
    population_stability_index,
    standardised_wasserstein,
    total_variation,
)
from hindsight.monitoring.drift.feature_verdict import DriftKind, FeatureDrift, KindDrift
from hindsight.monitoring.drift.significance import chi_squared, kolmogorov_smirnov
from hindsight.monitoring.results.check import Verdict
from hindsight.profiles.column import ColumnProfile
from hindsight.profiles.distribution import Floats


class Rate(NamedTuple):
    """A rate: the number of rows with a defect, of all rows, both in effective rows."""

    wrong: float
    rows: float

    @classmethod
    def of(cls, column: ColumnProfile, wrong: int, rows: int) -> Self:
        """Build a rate of counts of a column."""
        return cls(wrong / column.heaviest, rows / column.heaviest)

    @property
    def share(self) -> float:
        """The share of the rows."""
        return self.wrong / self.rows if self.rows else 0.0


def measure_feature(
    reference: ColumnProfile | None,
    current: ColumnProfile | None,
    feature: Feature,
    monitoring: Monitoring,
    *,
    threshold: float | None = None,
) -> FeatureDrift:
    """Measure the difference of a feature between window and training, which `judge_feature` judges.

    ``threshold`` is its own of a distance, where it has one. Insufficient, with the reason, where the two can't be
    compared.
    """
    limit = monitoring.drift.threshold if threshold is None else threshold
    if reference is None or not reference.rows:
        return _insufficient("the training reference knows nothing of it")
    if current is None or current.effective_rows < monitoring.min_rows:
        rows = 0 if current is None else current.effective_rows
        return _insufficient(f"{rows:.0f} rows, fewer than the {monitoring.min_rows} a verdict needs")
    for side, when in ((reference, "in training"), (current, "in most of the window")):
        if side.kind is not feature.type:
            return _insufficient(f"it was {side.kind} {when} and is declared {feature.type}")
    if feature.type is FeatureType.NUMERIC:
        kinds = _number_kinds(reference, current, feature, monitoring, limit)
    else:
        kinds = _category_kinds(reference, current, feature, monitoring, limit)
    return FeatureDrift(verdict=Verdict.OK, p_value=_p_value(kinds), kinds=kinds)


def combine_comparisons(first: FeatureDrift, second: FeatureDrift) -> FeatureDrift:
    """Combine the differences of a feature from two references: in each kind that from the closer one.

    An intersection–union test (Berger, 1982): the p-value of "it differs from both" is the larger of the two. The
    rates are those of the first. Insufficient where either is.
    """
    for measured in (first, second):
        if measured.p_value is None:
            return measured
    kinds = {
        kind: replace(found, size=min(found.size, other.size), p_value=max(found.p_value, other.p_value))
        for kind, found in first.kinds.items()
        if (other := second.kinds.get(kind)) is not None
    }
    return replace(first, kinds=kinds, p_value=_p_value(kinds))


def expected_unseen(reference: CategoryCounts) -> Rate:
    """Estimate the rate of categories that the reference does not name.

    By Good & Turing (Good, 1953) the categories that were never seen have together as many rows as those seen once.
    The estimate varies more than a binomial count; it is given as one of fewer rows, with the variance of Esty (1983).

    >>> expected_unseen(CategoryCounts({"a": 900.0, "b": 98.0, "c": 1.0}, rows=999.0))
    Rate(wrong=2.0, rows=1000.0)
    """
    counts = np.fromiter(reference.counts.values(), dtype=np.float64)
    once, twice = float(np.count_nonzero(counts <= 1.0)), float(np.count_nonzero((counts > 1.0) & (counts <= 2.0)))
    rows = reference.rows + 1.0
    rare = min(once + reference.unnamed + 1.0, rows)  # one more of each: a rate of 0 would be too sure of itself
    binomial = rare * (1.0 - rare / rows)
    believed = binomial / (binomial + 2.0 * twice) if binomial > 0.0 else 1.0
    return Rate(believed * rare, believed * rows)


def _p_value(kinds: Mapping[DriftKind, KindDrift]) -> float:
    return min(1.0, len(kinds) * min(found.p_value for found in kinds.values()))


def _number_kinds(
    reference: ColumnProfile, current: ColumnProfile, feature: Feature, monitoring: Monitoring, limit: float
) -> dict[DriftKind, KindDrift]:
    rates = _shared_rates(reference, current)
    if feature.min is not None or feature.max is not None:
        before, now = (Rate.of(side, side.below + side.above, side.present) for side in (reference, current))
        rates[DriftKind.OUT_OF_RANGE] = before, now
    kinds = _rate_kinds(rates, monitoring.data_quality.threshold)
    if not reference.present or not current.present:
        return kinds
    trained, served = reference.distribution, current.distribution
    bins, method = number_bins(trained, served), monitoring.drift.method
    is_moved = method is DriftMethod.WASSERSTEIN
    found = KindDrift(
        size=standardised_wasserstein(trained, served) if is_moved else _distance(bins, method),
        limit=limit,
        p_value=float(kolmogorov_smirnov(trained, served).p_value),
    )
    return {DriftKind.DISTRIBUTION: _with_bin(found, bins), **kinds}


def _category_kinds(
    reference: ColumnProfile, current: ColumnProfile, feature: Feature, monitoring: Monitoring, limit: float
) -> dict[DriftKind, KindDrift]:
    trained, served = CategoryCounts.of(reference), CategoryCounts.of(current)
    rates = _shared_rates(reference, current)
    if feature.type is FeatureType.CATEGORICAL:
        unseen = sum(count for text, count in served.counts.items() if text not in trained.counts)
        # What no count holds is new as well, but for what the counts of known categories may lack.
        unseen += max(0.0, served.unnamed - served.error * len(trained.counts))
        rates[DriftKind.UNSEEN] = expected_unseen(trained), Rate(unseen, served.rows)
    kinds = _rate_kinds(rates, monitoring.data_quality.threshold)
    if not reference.present or not current.present:
        return kinds
    bins = category_bins(trained, served)
    found = KindDrift(
        size=_distance(bins, monitoring.drift.method),
        limit=limit,
        p_value=float(chi_squared(bins.reference, bins.current, slack=bins.slack).p_value),
    )
    # A category is a client's text, and sentences travel: to the bus, to decisions.
    is_named = feature.type is FeatureType.BOOLEAN
    return {DriftKind.DISTRIBUTION: _with_bin(found, bins) if is_named else found, **kinds}


def _shared_rates(reference: ColumnProfile, current: ColumnProfile) -> dict[DriftKind, tuple[Rate, Rate]]:
    return {
        kind: (Rate.of(reference, *before), Rate.of(current, *now))
        for kind, before, now in (
            (DriftKind.MISSING, (reference.missing, reference.rows), (current.missing, current.rows)),
            (DriftKind.INVALID, (reference.invalid, reference.rows), (current.invalid, current.rows)),
        )
    }


def _rate_kinds(rates: Mapping[DriftKind, tuple[Rate, Rate]], limit: float) -> dict[DriftKind, KindDrift]:
    """Compare the rates of data quality: a higher one is drift, of missing values a lower one as well."""
    table = np.array([[(side.wrong, side.rows - side.wrong) for side in pair] for pair in rates.values()])
    p_values = chi_squared(table[:, 0], table[:, 1]).p_value
    return {
        kind: KindDrift(
            size=abs(now.share - before.share) if kind is DriftKind.MISSING else max(now.share - before.share, 0.0),
            limit=limit,
            p_value=float(p_value),
            reference=before.share,
            current=now.share,
        )
        for (kind, (before, now)), p_value in zip(rates.items(), p_values, strict=True)
    }


def _distance(bins: Bins, method: DriftMethod) -> float:
    measures: Mapping[DriftMethod, Callable[..., Floats]] = {
        DriftMethod.PSI: population_stability_index,
        DriftMethod.JENSEN_SHANNON: jensen_shannon_distance,
        DriftMethod.WASSERSTEIN: total_variation,
    }
    return float(measures[method](*bins.shares))


def _with_bin(found: KindDrift, bins: Bins) -> KindDrift:
    """Name the bin that gained most, with its shares."""
    reference, current = bins.shares
    place = int(np.argmax(current - reference))
    return replace(found, bin=bins.names[place], reference=float(reference[place]), current=float(current[place]))


def _insufficient(reason: str) -> FeatureDrift:
    return FeatureDrift(verdict=Verdict.INSUFFICIENT, reason=reason)

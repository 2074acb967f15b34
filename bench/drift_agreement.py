"""The agreement of statistics on sketches with scipy's on the raw rows, beside the error that the sketches have."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.special import rel_entr

from hindsight.monitoring.drift.bins import MAX_DISTINCT, CategoryCounts, category_bins, number_bins, number_edges
from hindsight.monitoring.drift.distance import MIN_BIN_SHARE, population_stability_index, wasserstein_distance
from hindsight.monitoring.drift.significance import chi_squared, greatest_gap
from hindsight.profiles.distribution import Distribution
from hindsight.profiles.numbers import NumberSketch
from hindsight.profiles.reading import profile_texts

Floats = npt.NDArray[np.float64]

REFERENCE_ROWS, WINDOW_ROWS, HOURS = 50_000, 20_000, 168
SHIFTS = (0.0, 0.1, 0.5, 1.0)


def agreement(seed: int, repeats: int = 5) -> dict[str, dict[str, float]]:
    """Measure the largest differences over many pairs of samples, each beside the error bound of that very pair."""
    dice = np.random.default_rng(seed)
    pairs = [pair for _ in range(repeats) for pair in _number_pairs(dice)]
    found: dict[str, list[tuple[float, float]]] = {"kolmogorov_smirnov": [], "wasserstein": [], "psi_below_0.5": []}
    for reference, window in pairs:
        sketches = _sketched(reference, 1), _sketched(window, HOURS)
        found["kolmogorov_smirnov"].append(_kolmogorov_smirnov(reference, window, *sketches))
        found["wasserstein"].append(_wasserstein(reference, window, *sketches))
        exact, difference = _psi(reference, window, *sketches)
        if exact < 0.5:  # a larger difference needs no agreement
            found["psi_below_0.5"].append(difference)
    found["chi_squared"] = [_chi_squared(dice, categories) for categories in (2, 5, 50, 500) for _ in range(repeats)]
    return {name: _worst(differences) for name, differences in found.items()}


def stated_psi_error(expected: Floats, actual: Floats, expected_error: float, actual_error: float) -> float:
    """Bound the error of a PSI whose shares may each be off by a given amount.

    A bin's term is convex in both shares, so that it is greatest at a corner of what is possible; it is least where the
    two come as near to each other as they can.
    """
    corners = [
        _terms(expected + sign * expected_error, actual + other * actual_error) for sign in (-1, 1) for other in (-1, 1)
    ]
    terms = _terms(expected, actual)
    nearer = np.sign(actual - expected) * np.minimum(np.abs(actual - expected), expected_error + actual_error)
    share = expected_error / (expected_error + actual_error) if expected_error + actual_error else 0.0
    least = _terms(expected + nearer * share, actual - nearer * (1 - share))
    return float(max((np.max(corners, axis=0) - terms).sum(), (terms - least).sum()))


def _terms(expected: Floats, actual: Floats) -> Floats:
    """Compute the terms of a PSI, bin by bin."""
    pairs = np.stack([np.clip(shares, 0.0, 1.0) for shares in (expected, actual)])[..., np.newaxis]
    return population_stability_index(pairs[0], pairs[1])


def _number_pairs(dice: np.random.Generator) -> list[tuple[Floats, Floats]]:
    draws: dict[str, Callable[[int], Floats]] = {
        "bell": dice.standard_normal,
        "skewed": lambda rows: np.exp(0.8 * dice.standard_normal(rows)),
        "even": dice.random,
        "often zero": lambda rows: np.maximum(dice.standard_normal(rows), 0.0),
        "whole": lambda rows: np.floor(4 * dice.standard_exponential(rows)),
    }
    return [(draw(REFERENCE_ROWS), draw(WINDOW_ROWS) + shift) for draw in draws.values() for shift in SHIFTS]


def _sketched(values: Floats, parts: int) -> Distribution:
    return NumberSketch.merged(NumberSketch.of(part) for part in np.array_split(values, parts)).distribution()


def _kolmogorov_smirnov(
    reference: Floats, window: Floats, trained: Distribution, served: Distribution
) -> tuple[float, float]:
    exact = stats.ks_2samp(reference, window, method="asymp").statistic
    return abs(float(greatest_gap(trained, served)) - exact), trained.rank_error + served.rank_error


def _wasserstein(reference: Floats, window: Floats, trained: Distribution, served: Distribution) -> tuple[float, float]:
    """Compute the difference in standard deviations; the area between cumulatives that are off by no more than their
    rank error is at most that error times their range.
    """
    exact = stats.wasserstein_distance(reference, window)
    stated = trained.rank_error * np.ptp(reference) + served.rank_error * np.ptp(window)
    spread = reference.std()
    return abs(wasserstein_distance(trained, served) - exact) / spread, float(stated / spread)


def _psi(
    reference: Floats, window: Floats, trained: Distribution, served: Distribution
) -> tuple[float, tuple[float, float]]:
    """Compute the PSI of the same bins in the raw rows, two relative entropies of scipy's, and the difference."""
    expected, actual = (_raw_shares(values, trained) for values in (reference, window))
    floored = [np.maximum(shares, MIN_BIN_SHARE) for shares in (expected, actual)]
    exact = float((rel_entr(*floored) + rel_entr(*reversed(floored))).sum())
    found = float(population_stability_index(*number_bins(trained, served).shares))
    return exact, (abs(found - exact), stated_psi_error(expected, actual, _bin_error(trained), _bin_error(served)))


def _raw_shares(values: Floats, trained: Distribution) -> Floats:
    if len(trained.values) <= MAX_DISTINCT:
        known = [float((values == value).mean()) for value in trained.values]
        return np.array([*known, 1.0 - sum(known)])
    edges = number_edges(trained)
    return np.asarray(np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1) / len(values))


def _bin_error(sketch: Distribution) -> float:
    return 2 * sketch.rank_error  # a bin lies between two ranks


def _chi_squared(dice: np.random.Generator, categories: int) -> tuple[float, float]:
    shares = 1 / np.arange(1.0, categories + 1)
    sides = [dice.choice(categories, size=rows, p=shares / shares.sum()) for rows in (REFERENCE_ROWS, WINDOW_ROWS)]
    columns = [CategoryCounts.of(profile_texts([f"{value}" for value in side])) for side in sides]
    bins = category_bins(*columns)
    found = float(chi_squared(bins.reference, bins.current).statistic)
    kept = [int(name) for name in bins.names if name.isdigit()]
    table = np.array([[np.count_nonzero(side == value) for value in kept] for side in sides])
    rest = np.array([len(side) for side in sides]) - table.sum(axis=1)
    exact = stats.chi2_contingency(np.column_stack([table, rest]) if rest.any() else table, correction=False)
    return abs(found - exact.statistic) / max(exact.statistic, 1.0), 0.0


def _worst(differences: list[tuple[float, float]]) -> dict[str, float]:
    largest = max(differences)
    beyond = sum(bool(difference > stated + 1e-9) for difference, stated in differences)
    return {
        "pairs": len(differences),
        "median": float(np.median([difference for difference, _ in differences])),
        "largest": float(largest[0]),
        "stated_there": float(largest[1]),
        "share_within_stated": 1.0 - beyond / len(differences),
    }

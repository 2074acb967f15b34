"""Drift: what a model is given now, against what its serving version was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from shared.configuration.features import FeatureType
from shared.configuration.model import ModelConfiguration
from shared.configuration.monitoring import DriftMethod, DriftPolicy
from shared.monitoring.check import Verdict
from shared.monitoring.column import Column, common_bins, read_column, reference_column, unseen_share
from shared.monitoring.distance import (
    jensen_shannon_distance,
    population_stability_index,
    total_variation,
    wasserstein_distance,
)
from shared.monitoring.significance import benjamini_hochberg, chi_squared, kolmogorov_smirnov

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureDrift:
    """What became of one feature: distance and p-value are None where nothing can be said."""

    verdict: Verdict
    distance: float | None = None
    p_value: float | None = None
    missing_rate: float = 0.0
    reference_missing_rate: float = 0.0
    unseen_share: float = 0.0
    invalid: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """What became of all features, and of the version's scores."""

    verdict: Verdict
    reason: str
    rows: int
    share: float
    features: Mapping[str, FeatureDrift]
    score: FeatureDrift

    @property
    def drifting(self) -> list[str]:
        """The features that drift, the farthest first."""
        found = [name for name, feature in self.features.items() if feature.verdict is Verdict.DRIFT]
        return sorted(found, key=lambda name: (-(self.features[name].distance or 0.0), name))

    def to_json(self) -> dict[str, Any]:
        """Return the report as it is kept in the lake."""
        return asdict(self)


def check_drift(reference: Row, window_rows: Sequence[Row], configuration: ModelConfiguration) -> DriftReport:
    """Compare a window of predictions with the training reference of the version that serves.

    ``reference`` is the version's ``reference.json``; rows have ``features`` and ``score`` (of the version; None
    where another scored). A feature drifts when its distance reaches the policy's threshold and its test stays
    significant after Benjamini–Hochberg over all features; the inputs drift when the policy's share of the features
    does. Missing values are a bin of their own, as are unseen categories. Input of any kind gives a verdict.
    """
    policy, least = configuration.monitoring.drift, configuration.monitoring.min_rows
    profiles, trained_on = reference.get("features", {}), int(reference.get("rows", 0))
    measured = {
        name: _measure(
            reference_column(profiles.get(name, {}), trained_on if name in profiles else 0),
            read_column((row["features"].get(name) for row in window_rows), feature.type),
            feature.type,
            policy.method,
            least,
        )
        for name, feature in configuration.features.items()
    }
    features = _judge(measured, policy)
    judged = [feature for feature in features.values() if feature.verdict is not Verdict.INSUFFICIENT]
    drifting = sum(feature.verdict is Verdict.DRIFT for feature in judged)
    share = drifting / len(judged) if judged else 0.0
    verdict, reason = _overall(len(window_rows), least, len(judged), drifting, policy.share)
    score = _judge({"score": _score(reference, window_rows, policy.method, least)}, policy)["score"]
    return DriftReport(
        verdict=verdict, reason=reason, rows=len(window_rows), share=share, features=features, score=score
    )


def _overall(rows: int, least: int, judged: int, drifting: int, share: float) -> tuple[Verdict, str]:
    if rows < least:
        return Verdict.INSUFFICIENT, f"{rows} rows, fewer than the {least} a verdict needs"
    if not judged:
        return Verdict.INSUFFICIENT, "no feature can be compared with the training reference"
    found = f"{drifting} of {judged} features drift"
    return (Verdict.DRIFT if drifting and drifting >= share * judged else Verdict.OK), found


def _score(reference: Row, rows: Sequence[Row], method: DriftMethod, least: int) -> FeatureDrift:
    profile = reference.get("score", {})
    sampled = int(profile.get("rows", len(profile.get("sample", []))))
    scores = read_column((row["score"] for row in rows if row.get("score") is not None), FeatureType.NUMERIC)
    return _measure(reference_column(profile, sampled), scores, FeatureType.NUMERIC, method, least)


def _measure(reference: Column, current: Column, kind: FeatureType, method: DriftMethod, least: int) -> FeatureDrift:
    shown = FeatureDrift(
        verdict=Verdict.INSUFFICIENT,
        missing_rate=current.missing_rate,
        reference_missing_rate=reference.missing_rate,
        unseen_share=unseen_share(reference, current),
        invalid=current.invalid,
    )
    if not reference.rows:
        return replace(shown, reason="the training reference knows nothing of it")
    if current.rows < max(least, 1):
        return replace(shown, reason=f"{current.rows} rows, fewer than the {least} a verdict needs")
    with np.errstate(over="ignore", invalid="ignore"):
        distance, p_value = _distance(reference, current, kind, method), _p_value(reference, current, kind)
    if not np.isfinite(distance):
        return replace(shown, reason="its values are too large to measure a distance")
    return replace(shown, verdict=Verdict.OK, distance=distance, p_value=p_value)


def _judge(measured: Mapping[str, FeatureDrift], policy: DriftPolicy) -> dict[str, FeatureDrift]:
    tested = [name for name, feature in measured.items() if feature.p_value is not None]
    significant = dict(
        zip(tested, benjamini_hochberg([measured[name].p_value or 0.0 for name in tested], policy.alpha), strict=True)
    )
    judged = dict(measured)
    for name in tested:
        if significant[name] and (measured[name].distance or 0.0) >= policy.threshold:
            judged[name] = replace(measured[name], verdict=Verdict.DRIFT, reason=_reason(measured[name], policy))
    return judged


def _reason(feature: FeatureDrift, policy: DriftPolicy) -> str:
    return f"{policy.method} {feature.distance:.3f} reaches {policy.threshold:g}, p = {feature.p_value:.2g}"


def _distance(reference: Column, current: Column, kind: FeatureType, method: DriftMethod) -> float:
    expected, actual = (counts / counts.sum() for counts in common_bins(reference, current, kind))
    if method is DriftMethod.PSI:
        return population_stability_index(expected, actual)
    if method is DriftMethod.JENSEN_SHANNON:
        return jensen_shannon_distance(expected, actual)
    if kind is not FeatureType.NUMERIC:
        return total_variation(expected, actual)
    # What is missing has no place on the axis: its change is a distance of its own.
    return max(_scaled_wasserstein(reference, current), abs(float(expected[-1] - actual[-1])))


def _scaled_wasserstein(reference: Column, current: Column) -> float:
    """Return the Wasserstein distance in standard deviations of the reference, so that one threshold fits all."""
    if not len(reference.numbers) or not len(current.numbers):
        return 0.0
    moved = wasserstein_distance(reference.numbers, current.numbers)
    spread = float(np.std(reference.numbers))
    if spread == 0.0:  # a constant: any move is compared with the spread it led to
        spread = float(np.std(np.concatenate([reference.numbers, current.numbers])))
    return moved / spread if spread > 0.0 else 0.0


def _p_value(reference: Column, current: Column, kind: FeatureType) -> float:
    if kind is not FeatureType.NUMERIC:
        return chi_squared(*common_bins(reference, current, kind))[1]
    moved = kolmogorov_smirnov(reference.numbers, current.numbers, reference_rows=reference.present)[1]
    gone = chi_squared(
        [reference.present, reference.rows - reference.present], [current.present, current.rows - current.present]
    )[1]
    return min(1.0, 2 * min(moved, gone))  # two looks at one feature (Bonferroni)

"""Drift of a model's inputs against the training reference of its serving version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hindsight.config.features import Feature, FeatureType
from hindsight.config.model import ModelConfiguration
from hindsight.config.monitoring import DriftMethod
from hindsight.monitoring.drift.constant_predictions import ConstantPredictions, find_constant_predictions
from hindsight.monitoring.drift.domain_classifier import DomainReport, judge_domain, measure_domain
from hindsight.monitoring.drift.feature_drift import FeatureDrift, combine_comparisons, judge_feature, measure_feature
from hindsight.monitoring.drift.recent_window import RecentRows
from hindsight.monitoring.drift.significance import benjamini_hochberg
from hindsight.monitoring.results.alarm_metrics import DRIFT_DETECTED
from hindsight.monitoring.results.check import Verdict
from hindsight.monitoring.results.measurement import Measurement, above_zero, storable
from hindsight.profiles.profile import Profile

MAX_SUMMARISED = 20
_SCORE = Feature(type=FeatureType.NUMERIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """The drift of all features, of the champion's scores, and, where asked for, of the rows as a whole.

    ``level`` is the significance level the check could spend, ``share`` the share of the judged features that drift.
    ``recent_rows`` are the newest of the window's ``rows``, compared separately, ``week_before_rows`` those of the same
    hours a week before; 0 where there are too few for that. ``constant`` is the champion's one answer to everything.
    """

    verdict: Verdict
    reason: str
    rows: int
    reference_rows: int
    recent_rows: int
    week_before_rows: int
    method: DriftMethod
    level: float
    share: float
    features: Mapping[str, FeatureDrift]
    score: FeatureDrift
    multivariate: DomainReport | None = None
    constant: ConstantPredictions | None = None

    @property
    def drifting(self) -> list[str]:
        """The features that drift, the farthest first."""
        return [name for name in self.ranked if self.features[name].verdict is Verdict.DRIFT]

    @property
    def ranked(self) -> list[str]:
        """All features: those that drift, those that do not, those that cannot be judged; the farthest first."""
        order = [Verdict.DRIFT, Verdict.OK, Verdict.INSUFFICIENT]
        return sorted(
            self.features,
            key=lambda name: (order.index(self.features[name].verdict), -self.features[name].severity, name),
        )

    def summary(self) -> dict[str, Any]:
        """Summarise the numbers behind the verdict, with the features that drifted farthest: short, and storable."""
        found: dict[str, Any] = {
            "rows": self.rows,
            "level": storable(self.level),
            "share": self.share,
            "score": self.score.verdict,
            "drifting": len(self.drifting),
            "features": {name: _summary(self.features[name]) for name in self.drifting[:MAX_SUMMARISED]},
        }
        if self.constant is not None:
            found["constant"] = self.constant.answer
        if self.multivariate is not None:
            found["multivariate"] = {"verdict": self.multivariate.verdict, "auc": self.multivariate.auc}
        return found


def check_drift(
    reference: Profile,
    window: Profile,
    champion_window: Profile,
    configuration: ModelConfiguration,
    *,
    level: float,
    recent: RecentRows | None = None,
) -> DriftReport:
    """Compare a window of predictions with the training reference of the version that serves.

    A feature drifts when the distribution of its values, or a rate of its data quality, differs by the policy's
    threshold and significantly so: all features, the score and the classifier are tested together at ``level``
    (Benjamini–Hochberg), which ``level_of`` takes from the champion's alpha. The inputs drift when the policy's share
    of the features does, or when the classifier separates window and training; so does a champion that answers all
    alike, though it did not on its holdout. Input of any kind gives a verdict.

    Parameters
    ----------
    reference
        The champion's: of the rows it was trained on, and of its scores on the holdout.
    window
        Of all versions' predictions, whose features are compared; ``champion_window`` of the champion's, for scores.
    recent
        The window's newest rows (`read_recent_rows`): a sudden shift shows there long before it fills the window. They
        drift where they differ from the reference, and in the same way from the same hours a week before.
    """
    policy, least = configuration.monitoring.drift, configuration.monitoring.min_rows
    measured = _measure(reference, window, configuration)
    measured_recent = measure_recent(reference, recent, configuration) if recent is not None else {}
    score = measure_feature(reference.score, champion_window.score, _SCORE, configuration.monitoring)
    domain = measure_domain(reference, window, configuration) if policy.multivariate else None
    constant = find_constant_predictions(reference, champion_window)
    measures = (*measured.values(), *measured_recent.values(), score, domain, constant)
    tested = [found.p_value for found in measures if found is not None and found.p_value is not None]
    rejected = float(benjamini_hochberg(tested, level))
    features = {name: _judge(one, measured_recent.get(name), rejected, policy.method) for name, one in measured.items()}
    multivariate = None if domain is None else judge_domain(domain, rejected)
    if constant is not None and (champion_window.rows < least or constant.p_value > rejected):
        constant = None
    judged = [feature.verdict for feature in features.values() if feature.verdict is not Verdict.INSUFFICIENT]
    verdict, reason = Verdict.INSUFFICIENT, f"{window.rows} rows, fewer than the {least} a verdict needs"
    if window.rows >= least:
        verdict, reason = _overall(judged, policy.share, multivariate)
    verdict, reason = _with_champion(verdict, reason, champion_window, constant)
    return DriftReport(
        verdict=verdict,
        reason=reason,
        rows=window.rows,
        reference_rows=reference.rows,
        recent_rows=0 if recent is None else recent.rows.rows,
        week_before_rows=0 if recent is None else recent.week_before.rows,
        method=policy.method,
        level=level,
        share=judged.count(Verdict.DRIFT) / len(judged) if judged else 0.0,
        features=features,
        score=judge_feature(score, rejected, policy.method),
        multivariate=multivariate,
        constant=constant,
    )


def measure_recent(
    reference: Profile, recent: RecentRows, configuration: ModelConfiguration
) -> dict[str, FeatureDrift]:
    """Measure the difference of the newest rows from both training and week before, where that has enough rows."""
    week_before = recent.week_before.features
    trained, before = (_measure(compared, recent.rows, configuration) for compared in (reference, recent.week_before))
    return {
        name: combine_comparisons(trained[name], before[name])
        for name in configuration.features
        if name in week_before and week_before[name].effective_rows >= configuration.monitoring.min_rows
    }


def drift_measurements(model: str, version: str, report: DriftReport) -> list[Measurement]:
    """List the numbers that alarms and dashboards follow."""
    of_version, found = {"Model": model, "ModelVersion": version}, float(report.verdict is Verdict.DRIFT)
    return [
        Measurement(name="DriftingFeatureShare", value=report.share, dimensions=of_version),
        *above_zero(Measurement(name=DRIFT_DETECTED, value=found, dimensions={"Model": model})),
    ]


def _measure(reference: Profile, window: Profile, configuration: ModelConfiguration) -> dict[str, FeatureDrift]:
    return {
        name: measure_feature(
            reference.features.get(name), window.features.get(name), feature, configuration.monitoring
        )
        for name, feature in configuration.features.items()
    }


def _judge(measured: FeatureDrift, recent: FeatureDrift | None, rejected: float, method: DriftMethod) -> FeatureDrift:
    """Judge a feature on the window, or on its newest rows where only they drift."""
    judged = judge_feature(measured, rejected, method)
    if recent is None or judged.verdict is not Verdict.OK:
        return judged
    judged_recent = judge_feature(recent, rejected, method)
    if judged_recent.verdict is not Verdict.DRIFT:
        return judged
    return replace(
        judged_recent,
        recent=True,
        reason=f"in the newest rows {judged_recent.reason}, against training and the week before",
    )


def _overall(judged: Sequence[Verdict], share: float, multivariate: DomainReport | None) -> tuple[Verdict, str]:
    if not judged:
        return Verdict.INSUFFICIENT, "no feature can be compared with the training reference"
    drifting = judged.count(Verdict.DRIFT)
    found = f"{drifting} of {len(judged)} features drift"
    if multivariate is not None and multivariate.verdict is Verdict.DRIFT:
        return Verdict.DRIFT, f"{found}; {multivariate.reason}"
    return (Verdict.DRIFT if drifting and drifting >= share * len(judged) else Verdict.OK), found


def _with_champion(
    verdict: Verdict, reason: str, champion_window: Profile, constant: ConstantPredictions | None
) -> tuple[Verdict, str]:
    """Name a champion that gives one answer to everything, or none."""
    if constant is not None:
        return Verdict.DRIFT, f"{constant.reason}; {reason}"
    if not champion_window.rows:
        return verdict, f"the version made no prediction in this window; {reason}"
    return verdict, reason


def _summary(feature: FeatureDrift) -> dict[str, Any]:
    return {
        "kinds": [str(kind) for kind in feature.drifting],
        "distance": storable(feature.distance),
        "p_value": storable(feature.p_value),
    }

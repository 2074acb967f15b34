"""Drift of a model's inputs against the training reference of its serving version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hindsight.config.model import ModelConfiguration
from hindsight.config.monitoring import DriftMethod
from hindsight.monitoring.drift.constant_predictions import ConstantPredictions
from hindsight.monitoring.drift.differences import measure_differences
from hindsight.monitoring.drift.domain_classifier import DomainReport, judge_domain
from hindsight.monitoring.drift.feature_verdict import FeatureDrift, in_percent, judge_feature
from hindsight.monitoring.drift.recent_window import RecentRows
from hindsight.monitoring.drift.significance import Comparisons
from hindsight.monitoring.results.alarm_metrics import DRIFT_DETECTED
from hindsight.monitoring.results.check import Verdict
from hindsight.monitoring.results.measurement import Measurement, above_zero, storable
from hindsight.profiles.profile import Profile

MAX_SUMMARISED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """The drift of all features, of the champion's scores, and, where asked for, of the rows as a whole.

    ``level`` is the significance level the check could spend, ``share`` and ``suspect_share`` the shares of
    the judged features, by their weights, that drift and that are suspect; ``ignored`` features are not compared.
    ``known_changes`` are those that the window holds a part of.
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
    suspect_share: float
    features: Mapping[str, FeatureDrift]
    score: FeatureDrift
    multivariate: DomainReport | None = None
    constant: ConstantPredictions | None = None
    ignored: Sequence[str] = ()
    known_changes: Sequence[str] = ()

    @property
    def is_weighted(self) -> bool:
        """True if some features count for more than others in the share that drifts."""
        return any(feature.weight != 1 for feature in self.features.values())

    @property
    def drifting(self) -> list[str]:
        """The features that drift, the farthest first."""
        return self.of_verdict(Verdict.DRIFT)

    def of_verdict(self, verdict: Verdict) -> list[str]:
        """List the features with a verdict, the farthest first."""
        return [name for name in self.ranked if self.features[name].verdict is verdict]

    @property
    def ranked(self) -> list[str]:
        """All features: those that drift, are suspect, are well, cannot be judged; the farthest first."""
        return sorted(self.features, key=lambda name: (self.features[name].rank, name))

    def summary(self) -> dict[str, Any]:
        """Summarise the numbers behind the verdict, with the features that drifted farthest: short, and storable."""
        suspect = self.of_verdict(Verdict.SUSPECT)
        found: dict[str, Any] = {
            "rows": self.rows,
            "level": storable(self.level),
            "share": self.share,
            "score": self.score.verdict,
            "drifting": len(self.drifting),
            "suspect": len(suspect),
            "features": {name: _summary(self.features[name]) for name in [*self.drifting, *suspect][:MAX_SUMMARISED]},
        }
        if self.known_changes:
            found["known_changes"] = list(self.known_changes[:MAX_SUMMARISED])
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
    importances: Mapping[str, float] | None = None,
) -> DriftReport:
    """Compare a window of predictions with the training reference of the version that serves.

    A feature drifts when the distribution of its values, or a rate of its data quality, differs by the policy's
    threshold and significantly so: all features, the score and the classifier are tested together at ``level``
    (Benjamini–Hochberg), which ``level_of`` takes from the champion's alpha. It is suspect where one of both
    holds. The inputs drift when the policy's share of the features does, or when the classifier separates window and
    training; so does a champion that answers all alike, though it did not on its holdout. Else they are suspect where
    anything differs largely, the score too, or where the policy's share of the features drifts or is suspect. Input of
    any kind gives a verdict.

    Parameters
    ----------
    reference
        The champion's: of the rows it was trained on, and of its scores on the holdout.
    window
        Of all versions' predictions, whose features are compared; ``champion_window`` of the champion's, for scores.
    recent
        The window's newest rows (`read_recent_rows`): a sudden shift shows there long before it fills the window. They
        drift where they differ from the reference, and in the same way from the same hours a week before.
    importances
        Of the version's features, where they count by that.
    """
    policy, least = configuration.monitoring.drift, configuration.monitoring.min_rows
    ignored = [name for name in policy.ignored if name in configuration.features]
    compared = {name: feature for name, feature in configuration.features.items() if name not in ignored}
    configuration = configuration.model_copy(update={"features": compared})
    found = measure_differences(reference, window, champion_window, configuration, recent)
    together, weights = Comparisons(found.p_values, level), policy.weights_of(compared, importances or {})
    features = {
        name: replace(_judge(f"`{name}`", one, found.recent.get(name), together, policy.method), weight=weights[name])
        for name, one in found.features.items()
    }
    score = judge_feature(found.score, together, policy.method, "the score")
    multivariate = None if found.domain is None else judge_domain(found.domain, together)
    constant = found.constant
    if constant is not None and (champion_window.rows < least or together.corrected(constant.p_value) > level):
        constant = None
    judged = [feature for feature in features.values() if feature.verdict is not Verdict.INSUFFICIENT]
    verdict, reason = Verdict.INSUFFICIENT, f"{window.rows} rows, fewer than the {least} a verdict needs"
    if window.rows >= least:
        verdict, reason = _overall(judged, score, policy.share, multivariate)
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
        share=_share(judged, Verdict.DRIFT),
        suspect_share=_share(judged, Verdict.SUSPECT),
        ignored=ignored,
        features=features,
        score=score,
        multivariate=multivariate,
        constant=constant,
    )


def drift_measurements(model: str, version: str, report: DriftReport) -> list[Measurement]:
    """List the numbers that alarms and dashboards follow."""
    of_version, found = {"Model": model, "ModelVersion": version}, float(report.verdict is Verdict.DRIFT)
    return [
        Measurement(name="DriftingFeatureShare", value=report.share, dimensions=of_version),
        *above_zero(Measurement(name="SuspectFeatureShare", value=report.suspect_share, dimensions=of_version)),
        *above_zero(Measurement(name=DRIFT_DETECTED, value=found, dimensions={"Model": model})),
    ]


def _judge(
    subject: str, measured: FeatureDrift, recent: FeatureDrift | None, together: Comparisons, method: DriftMethod
) -> FeatureDrift:
    """Judge a feature on the window, or on its newest rows where they are worse."""
    judged = judge_feature(measured, together, method, subject)
    if recent is None or judged.verdict is Verdict.INSUFFICIENT:
        return judged
    newest = judge_feature(recent, together, method, subject)
    if newest.verdict not in (Verdict.DRIFT, Verdict.SUSPECT) or not _is_worse(newest, judged):
        return judged
    return replace(
        newest,
        recent=True,
        sentence=f"in the newest rows {newest.sentence}",
        reason=f"in the newest rows {newest.reason}, against training and the week before",
    )


def _is_worse(newest: FeatureDrift, judged: FeatureDrift) -> bool:
    return (newest.rank[0], not newest.is_large) < (judged.rank[0], not judged.is_large)


def _overall(
    judged: Sequence[FeatureDrift], score: FeatureDrift, share: float, multivariate: DomainReport | None
) -> tuple[Verdict, str]:
    """Judge the inputs as a whole, and begin with the sentence on what is worst."""
    if not judged:
        return Verdict.INSUFFICIENT, "no feature can be compared with the training reference"
    drifting = _share(judged, Verdict.DRIFT)
    found = _counts(judged, drifting)
    separated = [multivariate] if multivariate is not None and multivariate.is_large else []
    if drifting >= share or any(report.verdict is Verdict.DRIFT for report in separated):
        verdict = Verdict.DRIFT
    elif (
        separated
        or _share(judged, Verdict.DRIFT, Verdict.SUSPECT) >= share
        or any(one.is_large and one.weight for one in (*judged, score))
    ):
        verdict = Verdict.SUSPECT
    else:
        return Verdict.OK, found
    worst = min((*judged, score), key=lambda one: (not one.weight, one.rank))
    said = [worst.sentence, *(report.reason for report in separated), found]
    return verdict, "; ".join(sentence for sentence in said if sentence)


def _counts(judged: Sequence[FeatureDrift], drifting: float) -> str:
    """Describe how many features drift and are suspect, and what they count for if not all count the same."""
    numbers = {verdict: sum(one.verdict is verdict for one in judged) for verdict in (Verdict.DRIFT, Verdict.SUSPECT)}
    is_weighted = numbers[Verdict.DRIFT] and any(one.weight != 1 for one in judged)
    weight = f" ({in_percent(drifting)} by weight)" if is_weighted else ""
    suspect = f", {numbers[Verdict.SUSPECT]} suspect" if numbers[Verdict.SUSPECT] else ""
    return f"{numbers[Verdict.DRIFT]} of {len(judged)} features drift{weight}{suspect}"


def _share(judged: Sequence[FeatureDrift], *verdicts: Verdict) -> float:
    whole = sum(feature.weight for feature in judged)
    return sum(feature.weight for feature in judged if feature.verdict in verdicts) / whole if whole else 0.0


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
        "verdict": feature.verdict,
        "sentence": feature.sentence,
        "kinds": [str(kind) for kind in feature.decisive],
        "distance": storable(feature.distance),
        "p_value": storable(feature.p_value),
        "corrected_p_value": storable(feature.corrected_p_value),
    }

"""Measurement of a window: its differences from training, which one check tests together."""

from collections.abc import Mapping
from dataclasses import dataclass

from hindsight.config.features import Feature, FeatureType
from hindsight.config.model import ModelConfiguration
from hindsight.monitoring.drift.constant_predictions import ConstantPredictions, find_constant_predictions
from hindsight.monitoring.drift.domain_classifier import DomainReport, measure_domain
from hindsight.monitoring.drift.feature_drift import combine_comparisons, measure_feature
from hindsight.monitoring.drift.feature_verdict import FeatureDrift
from hindsight.monitoring.drift.recent_window import RecentRows
from hindsight.profiles.profile import Profile

_SCORE = Feature(type=FeatureType.NUMERIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """The differences that one check tests together, measured and not judged yet."""

    features: Mapping[str, FeatureDrift]
    recent: Mapping[str, FeatureDrift]
    score: FeatureDrift
    domain: DomainReport | None
    constant: ConstantPredictions | None

    @property
    def p_values(self) -> list[float]:
        """The p-values that are corrected together."""
        found = (*self.features.values(), *self.recent.values(), self.score, self.domain, self.constant)
        return [one.p_value for one in found if one is not None and one.p_value is not None]


def measure_differences(
    reference: Profile,
    window: Profile,
    champion_window: Profile,
    configuration: ModelConfiguration,
    recent: RecentRows | None,
) -> Differences:
    """Measure a window of predictions against the reference of the version that serves, as ``check_drift`` has them."""
    return Differences(
        features=_measure(reference, window, configuration),
        recent={} if recent is None else measure_recent(reference, recent, configuration),
        score=measure_feature(reference.score, champion_window.score, _SCORE, configuration.monitoring),
        domain=measure_domain(reference, window, configuration)
        if configuration.monitoring.drift.multivariate
        else None,
        constant=find_constant_predictions(reference, champion_window),
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


def _measure(reference: Profile, window: Profile, configuration: ModelConfiguration) -> dict[str, FeatureDrift]:
    return {
        name: measure_feature(
            reference.features.get(name),
            window.features.get(name),
            feature,
            configuration.monitoring,
            threshold=configuration.monitoring.drift.threshold_of(name),
        )
        for name, feature in configuration.features.items()
    }

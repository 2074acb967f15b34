"""All checks of one model at one moment: of its inputs, its performance, its estimate and its labels."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from hindsight.config.metrics import Task
from hindsight.config.model import ModelConfiguration
from hindsight.core.errors import HindsightError
from hindsight.core.times import format_time
from hindsight.evaluation.performance_limit import performance_limit
from hindsight.evaluation.sequential.alpha_spending import level_of
from hindsight.label_records.label_completeness import MAX_LABEL_DELAY, SETTLING, complete_until, last_label_after
from hindsight.label_records.rows import LabelRows
from hindsight.label_records.window import MAX_BYTES, LabelWindow, labels_in_window, matured_in_window
from hindsight.labels.joining.effects import EffectStore
from hindsight.lake.object_store import Lake
from hindsight.monitoring.checks.monitored_versions import monitored_versions
from hindsight.monitoring.drift.input_drift import DriftReport, drift_measurements
from hindsight.monitoring.drift.version_drift import VersionDrift, check_version_drift
from hindsight.monitoring.estimation.estimated_performance import EstimateReport, estimate_measurements
from hindsight.monitoring.estimation.version_estimators import VersionEstimators
from hindsight.monitoring.label_health.feedback_effects import FeedbackEffects, effects_of_a_day
from hindsight.monitoring.label_health.join_health import join_health, join_measurements, judge_join
from hindsight.monitoring.label_health.label_freshness import label_freshness, label_freshness_measurements
from hindsight.monitoring.performance.live_performance import DegradationMonitor
from hindsight.monitoring.performance.realised_performance import (
    PerformanceReport,
    check_performance,
    performance_measurements,
)
from hindsight.monitoring.results.check import CheckKind, Verdict
from hindsight.monitoring.results.check_result import CheckResult
from hindsight.monitoring.results.measurement import Measurement
from hindsight.monitoring.results.monitored_version import MonitoredVersion
from hindsight.profiles.logs.hourly import WindowProfile, window_profile
from hindsight.profiles.profile import Profile
from hindsight.profiles.reference import read_baseline
from hindsight.registry.external_version import is_made_elsewhere
from hindsight.registry.served_features import ServedFeatures, with_kept_features
from hindsight.registry.store import Registry

ModelCheck = Callable[[], CheckResult]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckData:
    """The data of a model's checks: one window of profiles, and each prediction's newest label record.

    The ``window`` is the model's, or as much of it as there was time to read the records of.
    """

    configuration: ModelConfiguration
    now: datetime
    window: timedelta
    profiles: WindowProfile
    labels: LabelWindow

    @property
    def matured(self) -> LabelRows:
        """The label records of predictions whose outcome fell due in the window, as far as all of them are in."""
        return matured_in_window(self.labels.rows, self.now, self.window, self._complete_until(timedelta(0)))

    def matured_of(self, version: MonitoredVersion) -> LabelRows:
        """Select the matured records that a version's performance is measured on: all for the champion's report."""
        if version.champion is None:
            return self.matured
        return self.matured.at(self.matured.values("model_version").is_text(version.version))

    def with_sampling(self, figures: Mapping[str, Any]) -> dict[str, Any]:
        """Add the share of the predictions that figures are of, and since when, if less than the window."""
        since = self.labels.since
        truncated = {} if since is None else {"truncated_to": format_time(since)}
        return {**figures, "sampled_share": self.labels.sampled_share, **truncated}

    @property
    def complete_until(self) -> datetime:
        """The moment up to which all labels are in, and have had the time to arrive."""
        return self._complete_until(SETTLING)

    def _complete_until(self, settling: timedelta) -> datetime:
        configuration = self.configuration
        return complete_until(
            self.profiles.all.due,
            self.labels.rows,
            self.now,
            self.window,
            settling=settling,
            last_label_after=last_label_after(configuration),
            sampled_share=self.labels.sampled_share,
        )


@dataclass(frozen=True, slots=True)
class ModelChecks:
    """The checks of one model; input of any kind gives a verdict.

    Of label records that take more than ``max_bytes`` a sample is held.
    """

    registry: Registry
    lake: Lake
    degradation: DegradationMonitor
    estimators: VersionEstimators
    effects: EffectStore
    served: ServedFeatures
    max_bytes: int = MAX_BYTES

    def of(
        self, configuration: ModelConfiguration, now: datetime, has_time: Callable[[], bool] = lambda: True
    ) -> Iterator[ModelCheck]:
        """Compute the checks of a model, each by itself: one that fails leaves the others.

        Without a champion that is only how feedback and labels come in, without predictions only how feedback does.
        Where another server answers, versions logged beside the champion are checked too.
        What needs no labels comes first; then reading the labels may raise.
        """
        feedback = effects_of_a_day(self.effects, configuration.model, now)
        if feedback is not None:
            yield partial(_of_feedback, feedback)
        pointer = self.registry.pointer(configuration.model)
        profiles = window_profile(self.lake, configuration.model, now - configuration.monitoring.window, now)
        if pointer is None and not profiles.all.rows:
            return
        versions = list[MonitoredVersion]()
        if pointer is not None:
            versions = monitored_versions(self.registry, self.lake, configuration, profiles, pointer=pointer, now=now)
        for version in versions:
            yield partial(self._of_drift, configuration, profiles, version, now)
        data = self._read_data(configuration, profiles, now, has_time)
        for version in versions:
            yield partial(self._of_performance, data, version)
            yield partial(self._of_estimate, data, profiles.of_version(version.version), version)
        yield partial(_of_join, data, versions[0].version if versions else None)

    def _read_data(
        self, configuration: ModelConfiguration, profiles: WindowProfile, now: datetime, has_time: Callable[[], bool]
    ) -> CheckData:
        model, window = configuration.model, configuration.monitoring.window
        # A short window must not lose labels that are still to come.
        reach = max(window, 2 * MAX_LABEL_DELAY)
        features = _features_read(configuration)
        labels = labels_in_window(self.lake, model, now, reach, features, max_bytes=self.max_bytes, has_time=has_time)
        shorter = labels.shortened(window, now)
        if shorter < window:
            # What is counted beside the records must be of the same time as they are.
            profiles = window_profile(self.lake, model, now - shorter, now)
        return CheckData(configuration=configuration, now=now, window=shorter, profiles=profiles, labels=labels)

    def _of_performance(self, data: CheckData, version: MonitoredVersion) -> CheckResult:
        configuration, labels = data.configuration, data.labels
        report = check_performance(
            data.matured_of(version),
            configuration,
            champion=version.version,
            limit=performance_limit(configuration, version.gate_value),
            test=self.degradation.update(
                configuration,
                version,
                labels.rows,
                data.complete_until,
                sampled_share=labels.sampled_share,
            ),
            level=level_of(1 - configuration.monitoring.performance.confidence, version.since, data.now),
        )
        numbers = performance_measurements(configuration.model, version.version, report)
        return _result(CheckKind.PERFORMANCE, version, report, numbers, data.with_sampling)

    def _of_estimate(self, data: CheckData, predictions: Profile, version: MonitoredVersion) -> CheckResult:
        configuration = data.configuration
        level = level_of(1 - configuration.monitoring.performance.confidence, version.since, data.now)
        try:
            report = self.estimators.check(predictions, data.matured, configuration, version, level)
        except HindsightError as error:
            return CheckResult(
                kind=CheckKind.ESTIMATE,
                model_version=version.version,
                champion=version.champion,
                verdict=Verdict.INSUFFICIENT,
                reason=error.message,
                summary={},
                report={},
            )
        numbers = estimate_measurements(configuration.model, version.version, report)
        return _result(CheckKind.ESTIMATE, version, report, numbers, data.with_sampling)

    def _of_drift(
        self, configuration: ModelConfiguration, profiles: WindowProfile, version: MonitoredVersion, now: datetime
    ) -> CheckResult:
        read = self.served.definitions(configuration.model, [version.version])
        found = check_version_drift(self.lake, with_kept_features(configuration, read), version, profiles, now)
        numbers = drift_measurements(configuration.model, version.version, found.report)
        result = _result(CheckKind.DRIFT, version, found.report, numbers, self._with_baseline(found))
        return replace(result, page=found.page())

    def _with_baseline(self, found: VersionDrift) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        """Add the rows that a version made elsewhere is compared with, None while they are not together."""
        model, version = found.heading.model, found.heading.version
        if not is_made_elsewhere(self.registry, model, version):
            return dict
        baseline = read_baseline(self.lake, model, version)
        return lambda figures: {**figures, "baseline": baseline}


def _result(
    kind: CheckKind,
    version: MonitoredVersion,
    report: DriftReport | EstimateReport | PerformanceReport,
    measurements: Sequence[Measurement],
    shown: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda figures: figures,
) -> CheckResult:
    return CheckResult(
        kind=kind,
        model_version=version.version,
        champion=version.champion,
        verdict=report.verdict,
        reason=report.reason,
        summary=shown(report.summary()),
        report=shown(asdict(report)),
        measurements=[number if version.champion is None else _of_version(number, version) for number in measurements],
    )


def _of_version(number: Measurement, version: MonitoredVersion) -> Measurement:
    """Name the version: what is published of the model alone is the champion's, and an alarm on it retrains."""
    return replace(number, dimensions={**number.dimensions, "ModelVersion": version.version})


def _of_feedback(feedback: FeedbackEffects) -> CheckResult:
    verdict, reason = feedback.judge()
    figures = feedback.to_json()
    return CheckResult(kind=CheckKind.FEEDBACK, verdict=verdict, reason=reason, summary=figures, report=figures)


def _of_join(data: CheckData, version: str | None) -> CheckResult:
    configuration, profile = data.configuration, data.profiles.all
    rows, share = data.labels.rows, data.labels.sampled_share
    reach = configuration.labels.reach
    health = join_health(profile, rows, start=data.now - data.window, now=data.now, sampled_share=share, reach=reach)
    verdict, reason = judge_join(health, reach)
    freshness = label_freshness(profile.due, rows, data.now, data.window, sampled_share=share)
    figures = data.with_sampling({**health, **freshness.to_json()})
    return CheckResult(
        kind=CheckKind.JOIN_HEALTH,
        model_version=version,
        verdict=verdict,
        reason=reason,
        summary=figures,
        report=figures,
        measurements=[
            *join_measurements(configuration.model, health),
            *label_freshness_measurements(configuration.model, freshness),
        ],
    )


def _features_read(configuration: ModelConfiguration) -> Collection[str]:
    """List the features that checks read of label records: slices, and all where errors are predicted from them."""
    return configuration.features if configuration.task is Task.REGRESSION else configuration.monitoring.slices

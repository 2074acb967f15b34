"""All checks of one model at one moment: what it is given, what it is worth, and how its labels come in."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from shared.configuration.metrics import Task
from shared.configuration.model import ModelConfiguration
from shared.errors import HindsightError, NotFound
from shared.lake import Lake
from shared.monitoring.check import CheckKind, Verdict
from shared.monitoring.drift.champion_drift import check_champion_drift
from shared.monitoring.drift.input_drift import drift_measurements
from shared.monitoring.drift.spending import level_of
from shared.monitoring.estimates.estimated_performance import check_estimate, estimate_measurements
from shared.monitoring.estimates.estimator import Estimator, LossPredictor
from shared.monitoring.estimates.reconciliation import reconcile
from shared.monitoring.finding import Finding
from shared.monitoring.join_health import join_health, join_measurements
from shared.monitoring.performance.completeness import MOST_HELD, SETTLING, complete_until, last_label_after
from shared.monitoring.performance.live_performance import Champion, FallWatch
from shared.monitoring.performance.performance_limit import performance_limit
from shared.monitoring.performance.realised_performance import check_performance, performance_measurements
from shared.monitoring.performance.window import labels_in_window, matured_in_window
from shared.monitoring.staleness import staleness, staleness_measurements
from shared.profiles.hourly import WindowProfile, window_profile
from shared.registry.pointer import Pointer
from shared.registry.store import Registry
from shared.times import format_time

RECONCILED_AT = 0.01  # an estimate must be doubted early: the level that alarms may spend would be blind

Row = dict[str, Any]

ModelCheck = Callable[[], Finding]
# What estimates a version's performance, and for a regression its losses: by model and version.
Estimators = Callable[[str, str], tuple[Estimator | None, LossPredictor | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What every check of a model looks at: one window of profiles, and of the newest label records by prediction."""

    configuration: ModelConfiguration
    now: datetime
    profiles: WindowProfile
    labels: Mapping[str, Row]

    @property
    def matured(self) -> list[Row]:
        """The label records of predictions whose outcome fell due in the window, as far as all of them are in."""
        until = self._complete_until(timedelta(0))
        return [
            row
            for row in matured_in_window(self.labels, self.now, self.configuration.monitoring.window)
            if row["outcome_due_at"] <= format_time(until)
        ]

    @property
    def complete_until(self) -> datetime:
        """The moment up to which all labels are in, and have had the time to arrive."""
        return self._complete_until(SETTLING)

    def _complete_until(self, settling: timedelta) -> datetime:
        configuration = self.configuration
        return complete_until(
            self.profiles.all.due,
            self.labels.values(),
            self.now,
            configuration.monitoring.window,
            settling=settling,
            last_label_after=last_label_after(configuration),
        )


@dataclass(frozen=True, slots=True)
class ModelChecks:
    """Makes the checks of one model; input of any kind gives a verdict."""

    registry: Registry
    lake: Lake
    watch: FallWatch
    estimators: Estimators

    def of(self, configuration: ModelConfiguration, now: datetime) -> list[ModelCheck]:
        """Return the checks to make, each by itself: one that fails leaves the others.

        Without a champion that is only how labels come in, without predictions nothing. Raises what reading the labels
        raises.
        """
        model, window = configuration.model, configuration.monitoring.window
        pointer = self.registry.pointer(model)
        profiles = window_profile(self.lake, model, now - window, now)
        if pointer is None and not profiles.all.rows:
            return []
        looked = Looked(
            configuration=configuration,
            now=now,
            profiles=profiles,
            # A short window must not lose the labels that are waited for.
            labels=labels_in_window(self.lake, model, now, max(window, 2 * MOST_HELD), _features_read(configuration)),
        )
        if pointer is None:
            return [partial(_of_join, looked, None)]
        champion = Champion(
            version=pointer.champion, since=pointer.serving_since, gate_value=self._gate_value(configuration, pointer)
        )
        return [
            partial(self._of_drift, looked, pointer),
            partial(self._of_performance, looked, champion),
            partial(self._of_estimate, looked, champion),
            partial(_of_join, looked, champion.version),
        ]

    def _of_performance(self, looked: Looked, champion: Champion) -> Finding:
        configuration = looked.configuration
        report = check_performance(
            looked.matured,
            configuration,
            champion=champion.version,
            limit=performance_limit(configuration, champion.gate_value),
            test=self.watch.look(configuration, champion, list(looked.labels.values()), looked.complete_until),
            level=level_of(1 - configuration.monitoring.performance.confidence, champion.since, looked.now),
        )
        return Finding(
            kind=CheckKind.PERFORMANCE,
            model_version=champion.version,
            verdict=report.verdict,
            reason=report.reason,
            summary=report.summary(),
            report=report.to_json(),
            measurements=performance_measurements(configuration.model, champion.version, report),
        )

    def _of_estimate(self, looked: Looked, champion: Champion) -> Finding:
        configuration, version = looked.configuration, champion.version
        alpha = 1 - configuration.monitoring.performance.confidence
        level = level_of(alpha, champion.since, looked.now)
        try:
            estimator, losses = self.estimators(configuration.model, version)
        except HindsightError as error:
            return Finding(
                kind=CheckKind.ESTIMATE,
                model_version=version,
                verdict=Verdict.INSUFFICIENT,
                reason=error.message,
                summary={},
                report={},
            )
        report = check_estimate(
            looked.profiles.of_version(version),
            estimator,
            configuration,
            level=level,
            gate_value=champion.gate_value,
            losses=losses,
            reconciliation=reconcile(
                looked.matured, estimator, configuration, champion=version, level=RECONCILED_AT, losses=losses
            ),
        )
        return Finding(
            kind=CheckKind.ESTIMATE,
            model_version=version,
            verdict=report.verdict,
            reason=report.reason,
            summary=report.summary(),
            report=report.to_json(),
            measurements=estimate_measurements(configuration.model, version, report),
        )

    def _of_drift(self, looked: Looked, pointer: Pointer) -> Finding:
        found = check_champion_drift(self.lake, looked.configuration, pointer, looked.profiles, looked.now)
        report = found.report
        return Finding(
            kind=CheckKind.DRIFT,
            model_version=pointer.champion,
            verdict=report.verdict,
            reason=report.reason,
            summary=report.summary(),
            report=report.to_json(),
            measurements=drift_measurements(looked.configuration.model, pointer.champion, report),
            page=found.page(),
        )

    def _gate_value(self, configuration: ModelConfiguration, pointer: Pointer) -> float | None:
        """Return what the champion proved at the gate on the metric it is watched by."""
        try:
            record = self.registry.version(configuration.model, pointer.champion)
        except NotFound:
            return None
        return record.metrics.get(configuration.performance_metric)


def _of_join(looked: Looked, version: str | None) -> Finding:
    configuration, profile = looked.configuration, looked.profiles.all
    window = configuration.monitoring.window
    health = join_health(profile, looked.labels, start=looked.now - window, now=looked.now)
    stale = staleness(profile.due, looked.labels.values(), looked.now, window)
    return Finding(
        kind=CheckKind.JOIN_HEALTH,
        model_version=version,
        verdict=Verdict.OK,
        reason="",
        summary={**health, **stale.to_json()},
        report={**health, **stale.to_json()},
        measurements=[
            *join_measurements(configuration.model, health),
            *staleness_measurements(configuration.model, stale),
        ],
    )


def _features_read(configuration: ModelConfiguration) -> Collection[str]:
    """Return the features that checks read of label records: slices, and all where errors are foreseen from them."""
    return configuration.features if configuration.task is Task.REGRESSION else configuration.monitoring.slices

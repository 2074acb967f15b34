"""All checks of one model at one moment: what it is given, what it is worth, and how its labels come in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.configuration.model import ModelConfiguration
from shared.errors import NotFound, UnreadableObject
from shared.lake import Lake, version_prefix
from shared.monitoring.check import CheckKind, Verdict
from shared.monitoring.drift import check_drift, drift_measurements
from shared.monitoring.drift_page import drift_page
from shared.monitoring.finding import Finding
from shared.monitoring.join_health import join_health, join_measurements
from shared.monitoring.live_performance import Champion, FallWatch
from shared.monitoring.performance import check_performance, performance_measurements
from shared.monitoring.performance_limit import performance_limit
from shared.monitoring.spending import level_of
from shared.monitoring.staleness import staleness, staleness_measurements
from shared.monitoring.window import labels_in_window, matured_in_window
from shared.profiles.codec import decode
from shared.profiles.hourly import WindowProfile, window_profile
from shared.profiles.profile import Profile
from shared.registry.pointer import Pointer
from shared.registry.store import Registry

REFERENCE = "reference.profile"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What every check of a model looks at: one window of profiles, and of the newest label records by prediction."""

    configuration: ModelConfiguration
    now: datetime
    profiles: WindowProfile
    labels: Mapping[str, Row]


@dataclass(frozen=True, slots=True)
class ModelChecks:
    """Makes the checks of one model; input of any kind gives a verdict."""

    registry: Registry
    lake: Lake
    watch: FallWatch

    def findings(self, configuration: ModelConfiguration, now: datetime) -> list[Finding]:
        """Return what the checks find; without a champion only how labels come in, without predictions nothing."""
        model, window = configuration.model, configuration.monitoring.window
        pointer = self.registry.pointer(model)
        profiles = window_profile(self.lake, model, now - window, now)
        if pointer is None and not profiles.all.rows:
            return []
        looked = Looked(
            configuration=configuration,
            now=now,
            profiles=profiles,
            labels=labels_in_window(self.lake, model, now, window),
        )
        if pointer is None:
            return [_of_join(looked)]
        found = [*self._of_champion(looked, pointer), _of_join(looked)]
        return [replace(finding, model_version=pointer.champion) for finding in found]

    def _of_champion(self, looked: Looked, pointer: Pointer) -> Iterator[Finding]:
        model = looked.configuration.model
        champion = Champion(
            version=pointer.champion,
            since=pointer.updated_at,
            gate_value=self._gate_value(looked.configuration, pointer),
        )
        yield _of_drift(looked, champion, self._reference(model, champion.version))
        yield self._of_performance(looked, champion)

    def _of_performance(self, looked: Looked, champion: Champion) -> Finding:
        configuration = looked.configuration
        report = check_performance(
            matured_in_window(looked.labels, looked.now, configuration.monitoring.window),
            configuration,
            champion=champion.version,
            limit=performance_limit(configuration, champion.gate_value),
            test=self.watch.look(configuration, champion, list(looked.labels.values()), looked.now),
            level=level_of(1 - configuration.monitoring.performance.confidence, champion.since, looked.now),
        )
        return Finding(
            kind=CheckKind.PERFORMANCE,
            verdict=report.verdict,
            reason=report.reason,
            summary=report.summary(),
            report=report.to_json(),
            measurements=performance_measurements(configuration.model, champion.version, report),
        )

    def _reference(self, model: str, version: str) -> Profile:
        """Return what a version was trained on; of one that lacks it, or whose is damaged, nothing is known."""
        try:
            return decode(self.lake.read_bytes(version_prefix(model, version) + REFERENCE))
        except (NotFound, UnreadableObject):
            return Profile.empty()

    def _gate_value(self, configuration: ModelConfiguration, pointer: Pointer) -> float | None:
        """Return what the champion proved at the gate on the metric it is watched by."""
        try:
            record = self.registry.version(configuration.model, pointer.champion)
        except NotFound:
            return None
        return record.metrics.get(configuration.performance_metric)


def _of_drift(looked: Looked, champion: Champion, reference: Profile) -> Finding:
    configuration, window = looked.configuration, looked.profiles.all
    level = level_of(configuration.monitoring.drift.alpha, champion.since, looked.now)
    of_champion = looked.profiles.by_version.get(champion.version, Profile.empty())
    report = check_drift(reference, window, of_champion, configuration, level=level)
    return Finding(
        kind=CheckKind.DRIFT,
        verdict=report.verdict,
        reason=report.reason,
        summary=report.summary(),
        report=report.to_json(),
        measurements=drift_measurements(configuration.model, champion.version, report),
        page=drift_page(configuration.model, champion.version, looked.now, report, reference, window),
    )


def _of_join(looked: Looked) -> Finding:
    configuration, profile = looked.configuration, looked.profiles.all
    health = join_health(profile, looked.labels, looked.now)
    stale = staleness(profile.due, looked.labels.values(), looked.now, configuration.monitoring.window)
    return Finding(
        kind=CheckKind.JOIN_HEALTH,
        verdict=Verdict.OK,
        reason="",
        summary={**health, **stale.to_json()},
        report={**health, **stale.to_json()},
        measurements=[
            *join_measurements(configuration.model, health),
            *staleness_measurements(configuration.model, stale),
        ],
    )

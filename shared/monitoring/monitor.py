"""One round of monitoring: every model that serves is checked, its results kept, and its metrics published."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared import compact_json
from shared.configuration.model import ModelConfiguration
from shared.configuration.store import ConfigurationStore
from shared.errors import HindsightError, NotFound
from shared.lake import Lake
from shared.monitoring.champion_drift import check_champion_drift
from shared.monitoring.check import Check, CheckKind, CheckStore, Verdict, report_key
from shared.monitoring.drift import DriftReport, drift_measurements
from shared.monitoring.join_health import join_health, join_measurements
from shared.monitoring.measurement import COUNT, Measurement, MetricSink, storable
from shared.monitoring.performance import PerformanceReport, check_performance
from shared.monitoring.window import labels_in_window, matured_in_window
from shared.profiles.hourly import window_profile
from shared.registry.store import Registry
from shared.schedule import Tick

SHORTFALL = "LivePerformanceShortfall"


class MonitoringFailed(HindsightError):
    """Some models could not be monitored; the others were, and monitoring them again is safe."""

    code = "monitoring_failed"


@dataclass(frozen=True, slots=True)
class ModelChecks:
    """What a round found out about one model."""

    checks: tuple[Check, ...]
    measurements: tuple[Measurement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """Checks drift, realised performance and join health of the serving versions."""

    configurations: ConfigurationStore
    registry: Registry
    lake: Lake
    checks: CheckStore
    sink: MetricSink

    def run(self, tick: Tick) -> list[Check]:
        """Check every model with a champion, or the one the event names; return the checks.

        The checks are kept before their numbers are published: who follows an alarm finds what set it off.
        Raises MonitoringFailed once all models have been tried and all numbers published.
        """
        found, failures = list[ModelChecks](), list[tuple[str, Exception]]()
        for model in [tick.model] if tick.model else self.configurations.models():
            try:
                if (checks := self.check_model(model, tick.now)) is not None:
                    found.append(checks)
            except Exception as error:  # noqa: BLE001  whatever is wrong with one model is not the others' fault
                failures.append((model, error))
        self.sink.publish(_with_overall([number for checks in found for number in checks.measurements]))
        if failures:
            names = ", ".join(f"{model} ({type(error).__name__}: {error})" for model, error in failures)
            raise MonitoringFailed(f"could not monitor {names}") from failures[0][1]
        return [check for checks in found for check in checks.checks]

    def check_model(self, model: str, now: datetime) -> ModelChecks | None:
        """Check one model and keep the results; without a champion only how its labels are coming in, if at all.

        None for a model that has neither a champion nor predictions in the window.
        """
        pointer = self.registry.pointer(model)
        configuration = self.configurations.current(model).configuration
        window = configuration.monitoring.window
        predictions = window_profile(self.lake, model, now - window, now)
        if pointer is None and not predictions.all.rows:
            return None
        labels = labels_in_window(self.lake, model, now, window)
        health = join_health(predictions.all, labels, start=now - window, now=now)
        of_join = Check(model=model, kind=CheckKind.JOIN_HEALTH, at=now, verdict=Verdict.OK, reason="", summary=health)
        measured = tuple(join_measurements(model, health))
        if pointer is None:
            return ModelChecks((self._keep(of_join, health),), measured)
        champion = pointer.champion
        drift = check_champion_drift(self.lake, configuration, pointer, predictions, now).report
        performance = check_performance(
            matured_in_window(labels, now, window),
            configuration,
            champion=champion,
            holdout_value=self._holdout_value(configuration, champion),
            seed=configuration.training.seed,
        )
        of_champion = Check(model=model, kind=CheckKind.DRIFT, at=now, model_version=champion, **_verdict(drift))
        checks = (
            self._keep(replace(of_champion, summary=drift.summary()), drift.to_json()),
            self._keep(
                replace(
                    of_champion,
                    kind=CheckKind.PERFORMANCE,
                    summary=performance_summary(performance),
                    **_verdict(performance),
                ),
                performance.to_json(),
            ),
            self._keep(replace(of_join, model_version=champion), health),
        )
        return ModelChecks(checks, (*_measurements(model, champion, drift, performance), *measured))

    def _holdout_value(self, configuration: ModelConfiguration, champion: str) -> float | None:
        """Return what the champion proved at the gate on the metric it is watched by."""
        try:
            return self.registry.version(configuration.model, champion).metrics.get(configuration.performance_metric)
        except NotFound:
            return None

    def _keep(self, check: Check, report: Mapping[str, Any]) -> Check:
        key = report_key(check.model, check.kind, check.at)
        kept = replace(check, report_key=key)
        whole = compact_json.dumps({**kept.to_json(), "report": report}).encode()
        self.lake.write_bytes(key, whole, "application/json")
        self.checks.put(kept)
        return kept


def _verdict(report: DriftReport | PerformanceReport) -> dict[str, Any]:
    return {"verdict": report.verdict, "reason": report.reason}


def performance_summary(report: PerformanceReport) -> dict[str, Any]:
    """Return the numbers behind a performance verdict."""
    found = report.champion
    return {
        "metric": report.metric,
        "value": _bounded(found.value),
        "lower": _bounded(found.lower),
        "upper": _bounded(found.upper),
        "labels": found.labels,
        "limit": _bounded(report.limit),
        "shortfall": storable(report.shortfall),
    }


def _measurements(model: str, champion: str, drift: DriftReport, performance: PerformanceReport) -> list[Measurement]:
    of_version, shortfall = {"Model": model, "ModelVersion": champion}, storable(performance.shortfall)
    numbers = [
        *drift_measurements(model, champion, drift),
        Measurement(name="MaturedLabels", value=performance.overall.labels, unit=COUNT, dimensions=of_version),
        Measurement(name=SHORTFALL, value=shortfall, dimensions=of_version),
        # An alarm on one model outlives its versions.
        Measurement(name=SHORTFALL, value=shortfall, dimensions={"Model": model}),
    ]
    if (value := _bounded(performance.champion.value)) is not None:
        numbers.append(Measurement(name="LivePerformance", value=value, dimensions=of_version))
    return numbers


def _bounded(value: float | None) -> float | None:
    return None if value is None else storable(value)


def _with_overall(measurements: list[Measurement]) -> list[Measurement]:
    """Add the largest shortfall of all models: the one number that the stack's own alarm watches."""
    shortfalls = [number.value for number in measurements if number.name == SHORTFALL]
    return [*measurements, Measurement(name=SHORTFALL, value=max(shortfalls))] if shortfalls else measurements

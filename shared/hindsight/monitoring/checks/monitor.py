"""A round of monitoring: the checks of a model, their stored results and published numbers."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hindsight.config.store import ConfigurationStore
from hindsight.core import compact_json
from hindsight.core.errors import HindsightError, ModelRetired
from hindsight.lake.object_store import Lake
from hindsight.monitoring.checks.model_checks import ModelChecks
from hindsight.monitoring.checks.verdict_changes import VerdictAnnouncer
from hindsight.monitoring.results.alarm_metrics import with_overall
from hindsight.monitoring.results.check import Check, CheckStore, page_key, report_key
from hindsight.monitoring.results.check_result import CheckResult
from hindsight.monitoring.results.measurement import Measurement, MetricSink


class MonitoringFailed(HindsightError):
    """Some checks of a model could not be made; the others were, and making them again is safe."""

    code = "monitoring_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """The monitor of the serving versions' drift, performance and join health."""

    configurations: ConfigurationStore
    model_checks: ModelChecks
    lake: Lake
    checks: CheckStore
    announcer: VerdictAnnouncer
    sink: MetricSink

    def run(self, model: str, now: datetime, has_time: Callable[[], bool] = lambda: True) -> list[Check]:
        """Make all checks of a model and return them; label records are read for as long as there is time.

        The checks are stored before their numbers are published, so that the cause of an alarm can be read at once.
        Raises MonitoringFailed once all checks have been tried and all numbers published.
        """
        round_ = _Round(self)
        round_.check(model, now, has_time)
        self.sink.publish(with_overall(round_.measured))
        if round_.failures:
            causes = ", ".join(f"{type(error).__name__}: {error}" for error in round_.failures)
            raise MonitoringFailed(f"could not monitor {model} ({causes})") from round_.failures[0]
        return round_.kept

    def keep(self, model: str, now: datetime, result: CheckResult) -> Check:
        """Store a result's page and report in the lake, and build the newest check, which names them."""
        page = page_key(model, now) if result.page is not None else None
        check = Check(
            model=model,
            kind=result.kind,
            at=now,
            model_version=result.model_version,
            verdict=result.verdict,
            reason=result.reason,
            summary=result.summary,
            report_key=report_key(model, result.kind, now),
            page_key=page,
        )
        if page is not None and result.page is not None:
            self.lake.write_bytes(page, result.page.encode(), "text/html; charset=utf-8")
        self._write(check, result.report)
        return check

    def _write(self, check: Check, report: Mapping[str, Any]) -> None:
        whole = compact_json.dumps({**check.to_json(), "report": report}).encode()
        self.lake.write_bytes(str(check.report_key), whole, "application/json")


@dataclass(slots=True)
class _Round:
    """The progress of a round; a failure of one check leaves the others."""

    monitor: Monitor
    kept: list[Check] = field(default_factory=list)
    measured: list[Measurement] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def check(self, model: str, now: datetime, has_time: Callable[[], bool]) -> None:
        """Make all checks of a model."""
        with self._collecting_failures():
            configuration = self.monitor.configurations.current(model).configuration
            for make in self.monitor.model_checks.of(configuration, now, has_time):
                with self._collecting_failures():
                    result = make()
                    self._add(self.monitor.keep(model, now, result), result)

    def _add(self, check: Check, result: CheckResult) -> None:
        # Announced before it is stored, so that a crash in between announces twice rather than never; but a failing
        # bus keeps no check from the triggers.
        with self._collecting_failures():
            self.monitor.announcer.announce(check)
        self.monitor.checks.put(check)
        self.kept.append(check)
        self.measured.extend(result.measurements)

    @contextmanager
    def _collecting_failures(self) -> Iterator[None]:
        try:
            yield
        except ModelRetired:
            raise
        except Exception as error:  # noqa: BLE001  it is raised at the end of the round
            self.failures.append(error)

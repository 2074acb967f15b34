"""A round of monitoring: the checks of a model, their stored results and published numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hindsight.config.model import ModelConfiguration, ServedBy
from hindsight.config.store import ConfigurationStore
from hindsight.core import compact_json
from hindsight.core.attempts import Attempts
from hindsight.core.errors import HindsightError, ModelRetired
from hindsight.lake.object_store import Lake
from hindsight.monitoring.checks.model_checks import ModelChecks
from hindsight.monitoring.checks.verdict_changes import VerdictAnnouncer
from hindsight.monitoring.results.alarm_metrics import with_overall
from hindsight.monitoring.results.check import Check, CheckStore, page_key, report_key
from hindsight.monitoring.results.check_result import CheckResult
from hindsight.monitoring.results.findings import count_suspicion
from hindsight.monitoring.results.measurement import Measurement, MetricSink


class MonitoringFailed(HindsightError):
    """Some checks of a model could not be made; the others were, and making them again is safe."""

    code = "monitoring_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """The monitor of the drift, performance and join health of the versions that answer."""

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
        parts, kept, measured = Attempts(through=(ModelRetired,)), list[Check](), list[Measurement]()
        configuration: ModelConfiguration | None = None
        with parts.attempt("reading"):
            configuration = self.configurations.current(model).configuration
            for make in self.model_checks.of(configuration, now, has_time):
                with parts.attempt("a check"):
                    result = make()
                    check = self.keep(model, now, result)
                    # Announced before it is stored, so that a crash in between announces twice rather than never; but a
                    # failing bus keeps no check from the triggers.
                    with parts.attempt("an announcement"):
                        self.announcer.announce(check)
                    if check.champion is None:
                        self.checks.put(check)
                    kept.append(check)
                    measured += [*result.measurements, *count_suspicion(check)]
        if configuration is not None and configuration.serving is ServedBy.EXTERNAL:
            with parts.attempt("the checks of versions beside the champion"):
                self.checks.put_beside(model, now, [check for check in kept if check.champion is not None])
        self.sink.publish(with_overall(measured))
        parts.raise_failures(MonitoringFailed, f"monitor {model}:")
        return kept

    def keep(self, model: str, now: datetime, result: CheckResult) -> Check:
        """Store a result's page and report in the lake, and build the newest check, which names them."""
        page = page_key(model, now, result.model_version) if result.page is not None else None
        check = Check(
            model=model,
            kind=result.kind,
            at=now,
            model_version=result.model_version,
            champion=result.champion,
            verdict=result.verdict,
            reason=result.reason,
            summary=result.summary,
            report_key=report_key(model, result.kind, now, result.model_version),
            page_key=page,
        )
        if page is not None and result.page is not None:
            self.lake.write_bytes(page, result.page.encode(), "text/html; charset=utf-8")
        whole = compact_json.dumps({**check.to_plain(), "report": result.report}).encode()
        self.lake.write_bytes(str(check.report_key), whole, "application/json")
        return check

"""One round of monitoring: every model is checked, its results are kept, and its numbers published."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared import compact_json
from shared.configuration.store import ConfigurationStore
from shared.errors import HindsightError
from shared.lake import Lake
from shared.monitoring.check import Check, CheckStore, page_key, report_key
from shared.monitoring.finding import Finding
from shared.monitoring.measurement import Measurement, MetricSink
from shared.monitoring.model_checks import ModelChecks
from shared.monitoring.verdict_changes import VerdictAnnouncer
from shared.monitoring.watched import with_overall
from shared.schedule import Tick


class MonitoringFailed(HindsightError):
    """Some models could not be monitored; the others were, and monitoring them again is safe."""

    code = "monitoring_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """Checks drift, performance and join health of the serving versions."""

    configurations: ConfigurationStore
    model_checks: ModelChecks
    lake: Lake
    checks: CheckStore
    announcer: VerdictAnnouncer
    sink: MetricSink

    def run(self, tick: Tick) -> list[Check]:
        """Check every model, or the one the event names; return the checks.

        The checks are kept before their numbers are published: who follows an alarm finds what set it off.
        Raises MonitoringFailed once all models have been tried and all numbers published.
        """
        kept, measured, failures = list[Check](), list[Measurement](), list[tuple[str, Exception]]()
        for model in [tick.model] if tick.model else self.configurations.models():
            try:
                configuration = self.configurations.current(model).configuration
                for finding in self.model_checks.findings(configuration, tick.now):
                    kept.append(self._keep(model, tick.now, finding))
                    measured.extend(finding.measurements)
            except Exception as error:  # noqa: BLE001  whatever is wrong with one model is not the others' fault
                failures.append((model, error))
        self.sink.publish(with_overall(measured))
        if failures:
            names = ", ".join(f"{model} ({type(error).__name__}: {error})" for model, error in failures)
            raise MonitoringFailed(f"could not monitor {names}") from failures[0][1]
        return kept

    def _keep(self, model: str, now: datetime, finding: Finding) -> Check:
        """Keep a finding: the page and the whole in the lake, then the newest check that names them."""
        page = page_key(model, now) if finding.page is not None else None
        check = Check(
            model=model,
            kind=finding.kind,
            at=now,
            model_version=finding.model_version,
            verdict=finding.verdict,
            reason=finding.reason,
            summary=finding.summary,
            report_key=report_key(model, finding.kind, now),
            page_key=page,
        )
        if page is not None and finding.page is not None:
            self.lake.write_bytes(page, finding.page.encode(), "text/html; charset=utf-8")
        self._write(check, finding.report)
        self.announcer.announce(check)
        self.checks.put(check)
        return check

    def _write(self, check: Check, report: Mapping[str, Any]) -> None:
        whole = compact_json.dumps({**check.to_json(), "report": report}).encode()
        self.lake.write_bytes(str(check.report_key), whole, "application/json")

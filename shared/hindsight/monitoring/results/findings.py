"""Bad verdicts and their names: one table for signals, announcements and the list of models."""

from collections.abc import Mapping
from dataclasses import dataclass

from hindsight.monitoring.results.check import Check, CheckKind, Verdict
from hindsight.monitoring.results.measurement import COUNT, Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A bad verdict: the event that announces it, and its code in ``attention`` of the list of models."""

    event: str
    attention: str


# A verdict that is not here is good, only suspected, or has too little to go by: it raises no signal, rings no alarm
# and is not announced.
FINDINGS: Mapping[tuple[CheckKind, Verdict], Finding] = {
    (CheckKind.DRIFT, Verdict.DRIFT): Finding(event="DriftDetected", attention="drift"),
    (CheckKind.PERFORMANCE, Verdict.LOW): Finding(event="PerformanceLow", attention="low_performance"),
    (CheckKind.ESTIMATE, Verdict.LOW): Finding(event="EstimatedPerformanceLow", attention="low_estimated_performance"),
    (CheckKind.JOIN_HEALTH, Verdict.LOW): Finding(event="OutcomesOutOfWindow", attention="outcomes_out_of_window"),
    (CheckKind.FEEDBACK, Verdict.LOW): Finding(event="FeedbackWithoutEffect", attention="feedback_without_effect"),
}


def finding_of(check: Check) -> Finding | None:
    """Look up a check's finding, None where all is well or nothing is known."""
    return FINDINGS.get((check.kind, check.verdict))


def count_suspicion(check: Check) -> list[Measurement]:
    """Count a suspect verdict on a champion; no alarm goes by the metric."""
    if check.verdict is not Verdict.SUSPECT or check.champion is not None:
        return []
    dimensions = {"Model": check.model, "Check": check.kind.value}
    return [Measurement(name="SuspectVerdicts", value=1.0, unit=COUNT, dimensions=dimensions)]

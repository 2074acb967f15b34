"""The signals of the checks: drift, live performance, performance estimated before labels come."""

from typing import Any, ClassVar

from hindsight.config.triggers import Triggers
from hindsight.core.times import format_time
from hindsight.monitoring.results.check import Check, CheckKind, Verdict
from hindsight.monitoring.results.findings import finding_of
from hindsight.triggers.inputs import TriggerInputs
from hindsight.triggers.signals.signal import Signal
from hindsight.triggers.status import SignalRole, SignalStatus


class CheckSignal(Signal):
    """Active from a bad check of the serving version on, until a run answers it or a newer check is good.

    A run answers it that is promoted, or rejected with no bad check since.
    """

    check_kind: ClassVar[CheckKind]

    def is_configured(self, policy: Triggers) -> bool:
        """Look the signal up in the policy, where it has its own name."""
        return bool(getattr(policy, self.kind))

    def observe(self, inputs: TriggerInputs) -> SignalStatus:
        """Judge the newest check."""
        if not self.is_configured(inputs.policy):
            return self.not_configured()
        role = SignalRole.IMPOSSIBLE if inputs.champion is None else SignalRole.COUNTED
        check = inputs.checks.get(self.check_kind)
        if check is None:
            absent = "not checked yet" if inputs.champion else "no version serves that could be checked"
            return self.status(absent, role=role)
        reason, is_bad = check.reason or "no reason given", finding_of(check) is not None
        if is_bad and _is_news(check, inputs):
            return self.status(reason, _details(check), since=check.at, role=role)
        reason = f"{check.verdict.value}, {reason}; checked at {format_time(check.at)}"
        if check.model_version != inputs.champion:
            reason += f" of {check.model_version}, which no longer serves"
        elif is_bad:
            reason += ", before the last run began"
        return self.status(reason, _details(check), role=role)

    def stays_pending(self, pending: SignalStatus, inputs: TriggerInputs) -> bool:
        """Keep the signal of the version that serves until a newer check does not prove it any more."""
        if not self.is_configured(inputs.policy) or pending.details.get("model_version") != inputs.champion:
            return False
        check = inputs.checks.get(self.check_kind)
        return (
            check is None
            or check.verdict not in (Verdict.OK, Verdict.SUSPECT)
            or (pending.since is not None and check.at <= pending.since)
        )


class DriftSignal(CheckSignal):
    """The features drift."""

    kind = "drift"
    clause = "drift was found"
    check_kind = CheckKind.DRIFT


class PerformanceSignal(CheckSignal):
    """Live performance is below its limit."""

    kind = "performance"
    clause = "live performance is low"
    check_kind = CheckKind.PERFORMANCE


class EstimatedPerformanceSignal(CheckSignal):
    """Performance estimated before labels come is below its limit."""

    kind = "estimated_performance"
    clause = "estimated performance is low"
    check_kind = CheckKind.ESTIMATE


def _is_news(check: Check, inputs: TriggerInputs) -> bool:
    """Judge whether a check is of the serving version, and of a time the last run had not seen."""
    last = inputs.state.last_run_started_at
    return check.model_version == inputs.champion and (last is None or check.at > last)


def _details(check: Check) -> dict[str, Any]:
    """Build the details of a check: its numbers, of which version, when, and where the whole report lies."""
    links = {"report_key": check.report_key, "page_key": check.page_key}
    return {
        "verdict": check.verdict.value,
        "checked_at": format_time(check.at),
        "model_version": check.model_version,
        **{name: key for name, key in links.items() if key is not None},
        **check.summary,
    }

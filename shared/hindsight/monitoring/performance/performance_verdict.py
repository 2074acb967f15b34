"""The verdict on live performance, from a test that may be evaluated every hour, with its reason."""

from dataclasses import dataclass

from hindsight.config.metrics import Metric
from hindsight.config.monitoring import PerformancePolicy
from hindsight.evaluation.confidence_interval import Estimate
from hindsight.evaluation.sequential.sequential_test import SequentialTest
from hindsight.monitoring.results.check import Verdict

MIN_SHORTFALL = 1e-6  # an alarm on the shortfall must see every degradation, for any newest labels
_ROUNDING = 1e-9  # equal weights are worth their number, and a value on the limit is not below it


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceVerdict:
    """A verdict with its reason; ``shortfall`` is how far live performance lies below its limit, 0 unless low."""

    verdict: Verdict
    reason: str
    shortfall: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The evidence for a verdict.

    ``found`` is the metric on the window's labels, ``test`` the anytime-valid test. A metric without one is judged by
    ``at_level``, the same labels with bounds that each fail in a share ``level`` of all such evaluations. ``constant``
    is the one decision on all labels of the window where these have several values.
    """

    metric: Metric
    limit: float | None
    found: Estimate
    test: SequentialTest | None
    at_level: Estimate
    level: float
    constant: str | None = None


def judge_performance(evidence: Evidence, policy: PerformancePolicy) -> PerformanceVerdict:
    """Judge a version: it is ``low`` once the test is significant at the policy's confidence.

    Until then it is ``suspect`` while the window's value is worse than the limit.
    One that decides all alike, and so has no value of its metric, is ``low`` if anything is asked of it.
    """
    found, test, limit = evidence.found, evidence.test, evidence.limit
    if lacking := _lacking(found, test, policy.min_labels):
        return _insufficient(lacking)
    if found.value is None and found.labels and evidence.constant is not None and limit is not None:
        alike = f"it decides {evidence.constant} on all {found.labels} labels, which have several values"
        return PerformanceVerdict(
            verdict=Verdict.LOW, reason=f"{alike}: {evidence.metric} is undefined", shortfall=MIN_SHORTFALL
        )
    if found.value is None or (test is None and found.lower is None):
        none = "no label of the window has matured"
        return _insufficient(f"{evidence.metric} is undefined on these labels" if found.labels else none)
    measured = _measured(found, evidence.metric)
    if limit is None:
        return PerformanceVerdict(verdict=Verdict.OK, reason=f"{measured}; no limit is set")
    return _compare(evidence, measured, found.value, limit, policy)


def _compare(
    evidence: Evidence, measured: str, value: float, limit: float, policy: PerformancePolicy
) -> PerformanceVerdict:
    """Compare a measured value with the limit."""
    test = evidence.test
    is_low, basis = _by_test(test, policy) if test is not None else _by_interval(evidence, limit)
    beyond = f"{'below' if evidence.metric.greater_is_better else 'above'} the limit {limit:.4f}"
    shortfall = evidence.metric.advantage(limit, value)
    if is_low:
        reason = f"{measured} of the window; it is significantly {beyond}: {basis}"
        return PerformanceVerdict(verdict=Verdict.LOW, reason=reason, shortfall=max(MIN_SHORTFALL, shortfall))
    if shortfall > _ROUNDING:
        return PerformanceVerdict(verdict=Verdict.SUSPECT, reason=f"{measured}, {beyond}, which may be chance; {basis}")
    return PerformanceVerdict(verdict=Verdict.OK, reason=f"{measured} against the limit {limit:.4f}; {basis}")


def _lacking(found: Estimate, test: SequentialTest | None, least: int) -> str | None:
    """Describe the missing labels of a verdict: in the window, or since the version serves."""
    if max(found.effective_rows, test.rounds if test and not test.is_weighted else 0) >= least * (1 - _ROUNDING):
        return None
    worth = f", by their weights worth {found.effective_rows:.0f}" if found.effective_rows < found.labels - 0.5 else ""
    return f"{found.labels} matured labels{worth}, fewer than the {least} a verdict needs"


def _insufficient(reason: str) -> PerformanceVerdict:
    return PerformanceVerdict(verdict=Verdict.INSUFFICIENT, reason=reason)


def _measured(found: Estimate, metric: Metric) -> str:
    bounds = "" if found.lower is None or found.upper is None else f" ({found.lower:.4f} to {found.upper:.4f})"
    return f"{metric} {found.value:.4f}{bounds} on {found.labels} labels"


def _by_test(test: SequentialTest, policy: PerformancePolicy) -> tuple[bool, str]:
    needed = 1 / (1 - policy.confidence)
    return (
        test.is_significant(policy.confidence),
        f"evidence {test.evidence:.3g} of the {needed:.3g} needed, from {test.rounds} labels since the version serves",
    )


def _by_interval(evidence: Evidence, limit: float) -> tuple[bool, str]:
    bounds = evidence.at_level
    optimistic = bounds.upper if evidence.metric.greater_is_better else bounds.lower
    is_low = optimistic is not None and evidence.metric.advantage(limit, optimistic) > 0
    return is_low, f"judged by the interval of this evaluation, at a level of {evidence.level:.1g}"

"""The verdict on live performance: what a test that may be looked at every hour says, in a sentence."""

from dataclasses import dataclass

from scipy.special import ndtri

from shared.configuration.metrics import Metric
from shared.configuration.monitoring import PerformancePolicy
from shared.monitoring.check import Verdict
from shared.monitoring.fall import FallTest
from shared.monitoring.interval import Estimate

SMALLEST_SHORTFALL = 1e-6  # an alarm on the shortfall must hear of every fall, however the newest labels look


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict with its sentence; ``shortfall`` is how far live performance lies below its limit, 0 unless low."""

    verdict: Verdict
    reason: str
    shortfall: float = 0.0


def judge_performance(
    found: Estimate,
    metric: Metric,
    limit: float | None,
    test: FallTest | None,
    policy: PerformancePolicy,
    *,
    level: float,
) -> Judged:
    """Return the verdict on a version whose labels in the window gave ``found``.

    ``low`` is what the anytime-valid test has put beyond doubt at the policy's confidence. A metric without such a
    test (``test`` is None) is low when its interval breaks the limit at ``level``, this look's share of an error that
    is spent over the version's life.
    """
    labels = max(found.labels, test.labels if test else 0)
    if labels < policy.min_labels:
        return _insufficient(f"{labels} matured labels, fewer than the {policy.min_labels} a verdict needs")
    if limit is None:
        return Judged(verdict=Verdict.OK, reason=f"{_measured(found, metric)}; no limit is set")
    if test is None and found.value is None:
        return _insufficient(f"{metric} is undefined on these labels")
    if test is not None:
        is_low, doubt = test.is_beyond_doubt(policy.confidence), f"evidence {test.peak:.3g}"
        needed = f" of the {1 / (1 - policy.confidence):.3g} needed, on {test.labels} labels since it serves"
    else:
        is_low, doubt = (
            _breaks(found, metric, limit, policy.confidence, level),
            f"at the {level:.1g} level of this look",
        )
        needed = ""
    if not is_low:
        return Judged(
            verdict=Verdict.OK, reason=f"{_measured(found, metric)} against the limit {limit:.4f}; {doubt}{needed}"
        )
    return Judged(
        verdict=Verdict.LOW,
        reason=f"{_measured(found, metric)} has fallen beyond the limit {limit:.4f}: {doubt}{needed}",
        shortfall=max(SMALLEST_SHORTFALL, _below(found, metric, limit)),
    )


def _insufficient(reason: str) -> Judged:
    return Judged(verdict=Verdict.INSUFFICIENT, reason=reason)


def _measured(found: Estimate, metric: Metric) -> str:
    if found.value is None:
        return f"{metric}, undefined on the labels of this window,"
    return f"{metric} {found.value:.4f} ({found.lower:.4f} to {found.upper:.4f}) on {found.labels} labels"


def _below(found: Estimate, metric: Metric, limit: float) -> float:
    if found.value is None:
        return 0.0
    return limit - found.value if metric.greater_is_better else found.value - limit


def _breaks(found: Estimate, metric: Metric, limit: float, confidence: float, level: float) -> bool:
    """Return whether the optimistic bound, moved out from ``confidence`` to ``level``, still breaks the limit.

    The bound keeps its side's shape and is stretched as that of a normal distribution would be.
    """
    if found.value is None or found.lower is None or found.upper is None:
        return False
    reach = found.upper - found.value if metric.greater_is_better else found.value - found.lower
    return _below(found, metric, limit) > reach * float(ndtri(1 - level) / ndtri(confidence))

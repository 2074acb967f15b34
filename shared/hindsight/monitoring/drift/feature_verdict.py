"""The verdict on one feature, by its kinds of drift, with the sentence that a person wants first."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from hindsight.config.monitoring import DriftMethod
from hindsight.monitoring.drift.bins import OTHER_VALUES
from hindsight.monitoring.drift.significance import Comparisons, suspicion
from hindsight.monitoring.results.check import Verdict
from hindsight.monitoring.results.page import chance, number

_WORST_FIRST = (Verdict.DRIFT, Verdict.SUSPECT, Verdict.OK, Verdict.INSUFFICIENT)


class DriftKind(StrEnum):
    """The kinds of drift: of the distribution, or of one of the rates of data quality, which are the others."""

    DISTRIBUTION = "distribution"
    MISSING = "missing"
    UNSEEN = "unseen"
    INVALID = "invalid"
    OUT_OF_RANGE = "out_of_range"


_RATES = {
    DriftKind.MISSING: ("is missing", "rows"),
    DriftKind.UNSEEN: ("is in categories unknown to the training", "values"),
    DriftKind.INVALID: ("is of another type", "rows"),
    DriftKind.OUT_OF_RANGE: ("is out of range", "values"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KindDrift:
    """The drift of one kind of a feature.

    ``size`` is the distance between the distributions, or the change of a rate, and ``limit`` from where it is large.
    ``reference`` and ``current`` are the rate in training and now; of a distribution the shares of the values in
    ``bin``, the one that gained most, where its name is no data. A kind is significant where ``corrected_p_value``,
    corrected for all comparisons of the check, is at most the check's level: large and significant is drift, one of
    both suspect.
    """

    size: float
    limit: float
    p_value: float
    reference: float | None = None
    current: float | None = None
    bin: str | None = None
    corrected_p_value: float = 1.0
    verdict: Verdict = Verdict.OK

    @property
    def is_large(self) -> bool:
        """True if the difference reaches its limit."""
        return self.size >= self.limit

    @property
    def size_in_limits(self) -> float:
        """The size of the difference, its limit being one."""
        return self.size / self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureDrift:
    """The drift of one feature. ``p_value`` is that of any difference at all, None where none can be tested.

    ``corrected_p_value`` is that of the first of the kinds that decide the verdict.
    ``sentence`` is what a person wants first, ``reason`` the same of every kind of the verdict, with its numbers.
    ``recent`` marks a drift of the window's newest rows alone, ``weight`` is what it counts for in the share that
    drifts.
    """

    verdict: Verdict
    reason: str = ""
    sentence: str = ""
    recent: bool = False
    weight: float = 1.0
    p_value: float | None = None
    corrected_p_value: float | None = None
    kinds: Mapping[DriftKind, KindDrift] = field(default_factory=dict)

    @property
    def distance(self) -> float | None:
        """The distance between the distributions of the values, None where it can't be measured."""
        found = self.kinds.get(DriftKind.DISTRIBUTION)
        return None if found is None else found.size

    @property
    def drifting(self) -> list[DriftKind]:
        """The kinds in which it drifts."""
        return [kind for kind, found in self.kinds.items() if found.verdict is Verdict.DRIFT]

    @property
    def decisive(self) -> list[DriftKind]:
        """The kinds that have the feature's verdict: large ones first, of these the plainest to a person, a rate."""
        found = {kind: found for kind, found in self.kinds.items() if found.verdict is self.verdict}
        return sorted(
            found,
            key=lambda kind: (not found[kind].is_large, kind is DriftKind.DISTRIBUTION, -found[kind].size_in_limits),
        )

    @property
    def severity(self) -> float:
        """The largest size in limits, of the kinds that have the feature's verdict."""
        return max((self.kinds[kind].size_in_limits for kind in self.decisive), default=0.0)

    @property
    def is_large(self) -> bool:
        """True if the feature drifts, or if it is suspect for a large difference."""
        return self.verdict in (Verdict.DRIFT, Verdict.SUSPECT) and self.severity >= 1

    @property
    def rank(self) -> tuple[int, float]:
        """A key that sorts features, the worst first."""
        return _WORST_FIRST.index(self.verdict), -self.severity


def judge_feature(measured: FeatureDrift, comparisons: Comparisons, method: DriftMethod, subject: str) -> FeatureDrift:
    """Judge a feature that the sentences call ``subject``, by all comparisons of its check.

    A feature's p-value is the least of its kinds', times their number (Bonferroni), and so is each kind's here.
    """
    if measured.p_value is None:
        return measured
    kinds = {kind: _judge_kind(found, len(measured.kinds), comparisons) for kind, found in measured.kinds.items()}
    verdict = min((found.verdict for found in kinds.values()), key=_WORST_FIRST.index)
    judged = replace(measured, verdict=verdict, kinds=kinds)
    decisive = {kind: kinds[kind] for kind in judged.decisive}
    kind, worst = next(iter(decisive.items()))
    judged = replace(judged, corrected_p_value=worst.corrected_p_value)
    if verdict is Verdict.OK:
        return judged
    reasons = (
        f"{_plain(subject, kind, found)} ({_numbers(kind, found, method, comparisons.level)})"
        for kind, found in decisive.items()
    )
    state = f" ({suspicion(is_large=worst.is_large)})" if verdict is Verdict.SUSPECT else ""
    return replace(judged, reason="; ".join(reasons), sentence=_plain(subject, kind, worst) + state)


def in_percent(share: float) -> str:
    """Format a share for a sentence.

    >>> in_percent(0.25), in_percent(0.0953), in_percent(0.0002)
    ('25 %', '9.5 %', 'under 0.1 %')
    """
    return "under 0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f}".removesuffix(".0") + " %"


def _judge_kind(found: KindDrift, kinds: int, comparisons: Comparisons) -> KindDrift:
    corrected = comparisons.corrected(min(1.0, kinds * found.p_value))
    # A rate that only counts when it grows has no size where it fell.
    verdict = comparisons.verdict(corrected, is_large=found.is_large) if found.size > 0 else Verdict.OK
    return replace(found, corrected_p_value=corrected, verdict=verdict)


def _plain(subject: str, kind: DriftKind, found: KindDrift) -> str:
    """Write what changed, for a person who knows no statistic; no value of a category is in it, which may be data."""
    if found.reference is None or found.current is None:
        return f"{subject} has other shares of its categories than before"
    before = "never before" if found.reference == 0 else f"{in_percent(found.reference)} before"
    if kind is DriftKind.UNSEEN:
        before = f"{in_percent(found.reference)} expected"
    seen = "a value unknown to the training" if found.bin == OTHER_VALUES else found.bin
    state, rows = _RATES.get(kind, (f"is {seen}", "values"))
    return f"{subject} {state} in {in_percent(found.current)} of {rows}, {before}"


def _numbers(kind: DriftKind, found: KindDrift, method: DriftMethod, level: float) -> str:
    size = f"{method} {found.size:.3f}, limit {found.limit:g}"
    if kind is not DriftKind.DISTRIBUTION:
        size = f"{100 * found.size:.1f} points, limit {100 * found.limit:g}"
    state = f"{suspicion(is_large=found.is_large)}: " if found.verdict is Verdict.SUSPECT else ""
    return f"{state}{size}; corrected p {chance(found.corrected_p_value)}, level {number(level)}"

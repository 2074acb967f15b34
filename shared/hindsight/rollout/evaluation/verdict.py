"""The verdict of an evaluation: the rules of rollouts and of probations."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hindsight.config.metrics import Metric
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.sequential.sequential_test import SequentialTest
from hindsight.rollout.evaluation.baseline import Baseline
from hindsight.rollout.evaluation.sample_ratio import SampleRatio
from hindsight.rollout.evaluation.store import SAMPLE_RATIO_MISMATCH


class Outcome(StrEnum):
    """The decision on a version in a rollout or on probation."""

    WAIT = "wait"
    KEEP = "keep"
    ROLL_BACK = "roll_back"
    ROLLBACK_UNAVAILABLE = "rollback_unavailable"
    SAMPLE_RATIO_MISMATCH = SAMPLE_RATIO_MISMATCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decision, and its reason in a sentence."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The comparison of a version with its baseline; ``labels`` are those of the side with fewer.

    ``worse_by`` is how much worse the version is, negative where it is better; None where the metric is undefined.
    ``allowed`` is how much it may be, in the metric's unit.
    """

    labels: int
    worse_by: float | None
    allowed: float
    described: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of a decision; ``undecided`` is the outcome at the deadline where nothing is shown."""

    min_labels: int
    confidence: float
    deadline: datetime
    undecided: Outcome


def decide_rollout(test: SequentialTest | None, measured: Measured, terms: Terms, now: datetime) -> Verdict:
    """Decide on the version of a rollout; to roll back is to abort it.

    1. Significantly worse, by a test that is valid at any time: aborted, however few the labels.
    2. Significantly not worse by all that is allowed, by a test of that kind, on ``min_labels`` at least, and not
       measured worse by so much either: promoted.
    3. Else it waits, until the deadline and what is configured then.
    """
    if (worse := _significantly_worse(test, measured, terms)) is not None:
        return worse
    reverse = None if test is None else test.reverse
    if (
        reverse is not None
        and reverse.is_significant(terms.confidence)
        and measured.labels >= terms.min_labels
        and measured.worse_by is not None
        and measured.worse_by <= measured.allowed
    ):
        shown = f"significantly {_allowed(measured)}, e-value {_of_needed(reverse, terms)}"
        return Verdict(outcome=Outcome.KEEP, reason=f"{shown}; {measured.described}")
    lacking = f"{measured.described}; decided at {terms.min_labels} labels at the earliest"
    if test is not None and reverse is not None:
        lacking = (
            f"{lacking}: e-value {_of_needed(test, terms)} for worse, {_of_needed(reverse, terms)} for "
            f"{_allowed(measured)}"
        )
    if now >= terms.deadline:
        return Verdict(outcome=terms.undecided, reason=f"its time is over without a decision: {lacking}")
    return Verdict(outcome=Outcome.WAIT, reason=lacking)


def _significantly_worse(test: SequentialTest | None, measured: Measured, terms: Terms) -> Verdict | None:
    if test is None or not test.is_significant(terms.confidence):
        return None
    significant = f"significantly worse, e-value {_of_needed(test, terms)}"
    return Verdict(outcome=Outcome.ROLL_BACK, reason=f"{significant}; {measured.described}")


def _of_needed(test: SequentialTest, terms: Terms) -> str:
    return f"{test.evidence:.3g} of the {1 / (1 - terms.confidence):.3g} needed"


def decide(
    test: SequentialTest | None, measured: Measured, terms: Terms, now: datetime
) -> tuple[Verdict, SequentialTest | None]:
    """Decide on a champion on probation; the test that is returned remembers a decision that was put off.

    1. Significantly worse, by a test that is valid at any time: rolled back, however few the labels.
    2. Else, from ``min_labels`` on: kept unless it is measured worse by more than is allowed. Then the decision is put
       off to twice as many labels: measured at every evaluation, a bad version would be kept on a lucky day.
    3. Else, at the deadline: rolled back if it is measured worse than is allowed. For want of labels it stays, since
       the gate has passed it.
    """
    if (worse := _significantly_worse(test, measured, terms)) is not None:
        return worse, test
    needed_labels = max(terms.min_labels, 2 * (test.deferred_at if test else 0))
    if measured.labels >= needed_labels and measured.worse_by is not None:
        if measured.worse_by <= measured.allowed:
            return Verdict(outcome=Outcome.KEEP, reason=f"{measured.described}; {_allowed(measured)}"), test
        if test is not None:
            test, needed_labels = test.replace(deferred_at=measured.labels), 2 * measured.labels
    lacking = f"{measured.described}; decided at {needed_labels} labels"
    if now >= terms.deadline:
        is_measured = measured.labels >= terms.min_labels and measured.worse_by is not None
        outcome = Outcome.ROLL_BACK if is_measured else terms.undecided
        return Verdict(outcome=outcome, reason=f"its time is over without a decision: {lacking}"), test
    return Verdict(outcome=Outcome.WAIT, reason=lacking), test


def stop_for(ratio: SampleRatio, terms: Terms, now: datetime) -> Verdict:
    """Put off the decision on a canary that does not answer the share it was to answer.

    Who is missing on one side may be the hard or the easy cases: a comparison would say more of them than of the
    version. At the deadline it is aborted, whatever is configured: it never ran as it was to.
    """
    if now >= terms.deadline:
        return Verdict(outcome=Outcome.ROLL_BACK, reason=f"its time is over without a decision: {ratio.reason}")
    return Verdict(outcome=Outcome.SAMPLE_RATIO_MISMATCH, reason=f"nothing is decided: {ratio.reason}")


def compared(baseline: Baseline, version: LabelledPredictions, champion: LabelledPredictions) -> Measured:
    """Compare a version with the champion, by the gate's metric or, where that is undefined, its stand-in."""
    labels = min(len(version), len(champion))
    for metric, allowed in _metrics(baseline):
        value, other = version.measure(metric), champion.measure(metric)
        if value is not None and other is not None:
            worse_by = metric.advantage(other, value)
            described = f"{metric} {value:.4f} on {len(version)} labels, the champion's {other:.4f} on {len(champion)}"
            return Measured(labels=labels, worse_by=worse_by, allowed=allowed, described=described)
    described = f"{baseline.metric} is undefined on {len(version)} labels and the champion's {len(champion)}"
    return Measured(labels=labels, worse_by=None, allowed=0.0, described=described)


def against_expectation(baseline: Baseline, version: LabelledPredictions, effective: float) -> Measured:
    """Compare a version with its expected value; by their weights its labels are worth ``effective`` ones."""
    value, expected, allowed = version.measure(baseline.metric), baseline.expected, baseline.allowed
    labels = int(effective + 1e-9)
    if value is None or expected is None or allowed is None:
        undefined = f"{baseline.metric} is undefined on {len(version)} labels"
        nothing = f"nothing is known of what {baseline.metric} to expect"
        # Without an expectation nothing would ever count against the version.
        found, described = (None, undefined) if value is None else (0.0, nothing)
        return Measured(labels=labels, worse_by=found, allowed=0.0, described=described)
    worse_by = baseline.metric.advantage(expected, value)
    described = f"{baseline.metric} {value:.4f} on {len(version)} labels, expected {expected:.4f}"
    return Measured(labels=labels, worse_by=worse_by, allowed=allowed, described=described)


def _metrics(baseline: Baseline) -> list[tuple[Metric, float]]:
    own = [] if baseline.allowed is None else [(baseline.metric, baseline.allowed)]
    scale = baseline.scale
    other = [] if scale is None else [(scale.metric, abs(scale.null - scale.limit))]
    return [*own, *other]


def _allowed(measured: Measured) -> str:
    return f"not worse by more than {measured.allowed:g}"

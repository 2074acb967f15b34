"""What a look at a trial or a probation comes to: the rule that all of them share."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from hindsight.config.metrics import Metric
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.sequential.comparison_test import SequentialTest
from hindsight.rollout.evaluation.baseline import Yardstick


class Outcome(StrEnum):
    """What is to be done with a version that is watched."""

    WAIT = "wait"
    KEEP = "keep"
    TAKE_BACK = "take_back"
    NO_WAY_BACK = "no_way_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is to be done, and why in a sentence."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the version and what it is held against are worth, ``labels`` on the fewer labels of the two.

    ``worse_by`` is how much worse the version is, negative where it is better; None where the metric is undefined.
    ``allowed`` is how much it may be, in the metric's unit.
    """

    labels: int
    worse_by: float | None
    allowed: float
    described: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """When something that is watched is decided; ``undecided`` is what comes of it at the deadline, without labels."""

    min_labels: int
    confidence: float
    deadline: datetime
    undecided: Outcome = Outcome.TAKE_BACK


def decide(
    test: SequentialTest | None, measured: Measured, terms: Terms, now: datetime
) -> tuple[Verdict, SequentialTest | None]:
    """Return what is to be done, and the test that remembers a decision that was put off.

    1. Worse beyond doubt, by a test that may be looked at at any time: taken back, however few the labels.
    2. Else, from ``min_labels`` on: kept unless it is measured worse by more than is allowed. Then the decision is put
       off to twice as many labels: measured again at every look, a bad version would be kept on a lucky day.
    3. Else, at the deadline: taken back if it is measured worse than is allowed. For want of labels a trial is taken
       back too, for what could not be shown to be good does not serve; a champion, which the gate has passed, stays.
    """
    if test is not None and test.is_beyond_doubt(terms.confidence):
        needed = 1 / (1 - terms.confidence)
        doubtless = f"worse beyond doubt, evidence {test.highest:.3g} of the {needed:.3g} needed"
        return Verdict(outcome=Outcome.TAKE_BACK, reason=f"{doubtless}; {measured.described}"), test
    needed_labels = max(terms.min_labels, 2 * (test.deferred_at if test else 0))
    if measured.labels >= needed_labels and measured.worse_by is not None:
        if measured.worse_by <= measured.allowed:
            return Verdict(outcome=Outcome.KEEP, reason=f"{measured.described}; {_allowed(measured)}"), test
        if test is not None:
            test, needed_labels = replace(test, deferred_at=measured.labels), 2 * measured.labels
    lacking = f"{measured.described}; decided at {needed_labels} labels"
    if now >= terms.deadline:
        is_measured = measured.labels >= terms.min_labels and measured.worse_by is not None
        outcome = Outcome.TAKE_BACK if is_measured else terms.undecided
        return Verdict(outcome=outcome, reason=f"its time is over without a decision: {lacking}"), test
    return Verdict(outcome=Outcome.WAIT, reason=lacking), test


def compared(yardstick: Yardstick, version: LabelledPredictions, champion: LabelledPredictions) -> Measured:
    """Return how a version does beside the champion, by the gate's metric or, where that is undefined, its stand-in."""
    labels = min(len(version), len(champion))
    for metric, allowed in _metrics(yardstick):
        value, other = version.measure(metric), champion.measure(metric)
        if value is not None and other is not None:
            worse_by = other - value if metric.greater_is_better else value - other
            described = f"{metric} {value:.4f} on {len(version)} labels, the champion's {other:.4f} on {len(champion)}"
            return Measured(labels=labels, worse_by=worse_by, allowed=allowed, described=described)
    described = f"{yardstick.metric} is undefined on {len(version)} labels and the champion's {len(champion)}"
    return Measured(labels=labels, worse_by=None, allowed=0.0, described=described)


def against_expectation(yardstick: Yardstick, version: LabelledPredictions, effective: float) -> Measured:
    """Return how a version does beside what was expected; by their weights its labels are worth ``effective`` ones."""
    value, expected, allowed = version.measure(yardstick.metric), yardstick.expected, yardstick.allowed
    labels = int(effective + 1e-9)
    if value is None or expected is None or allowed is None:
        undefined = f"{yardstick.metric} is undefined on {len(version)} labels"
        nothing = f"nothing is known of what {yardstick.metric} to expect"
        # Without an expectation there is nothing that would ever speak against the version.
        found, described = (None, undefined) if value is None else (0.0, nothing)
        return Measured(labels=labels, worse_by=found, allowed=0.0, described=described)
    worse_by = -yardstick.advantage(value, expected)
    described = f"{yardstick.metric} {value:.4f} on {len(version)} labels, expected {expected:.4f}"
    return Measured(labels=labels, worse_by=worse_by, allowed=allowed, described=described)


def _metrics(yardstick: Yardstick) -> list[tuple[Metric, float]]:
    own = [] if yardstick.allowed is None else [(yardstick.metric, yardstick.allowed)]
    scale = yardstick.scale
    other = [] if scale is None else [(scale.metric, abs(scale.null - scale.limit))]
    return [*own, *other]


def _allowed(measured: Measured) -> str:
    return f"not worse by more than {measured.allowed:g}"

"""One evaluation of a rollout or a probation: bets on new labels, a measurement on all, and the decision rule."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hindsight.config.model import ModelConfiguration
from hindsight.config.training import Undecided
from hindsight.entities.label_row import LabelFields
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.matured_labels import is_readable, read_matured
from hindsight.evaluation.sequential.sequential_test import NONE_WAITING, Claim, SequentialTest
from hindsight.evaluation.sequential.subject import EvaluationSubject
from hindsight.evaluation.weights import max_label_weight
from hindsight.label_records.rows import LabelRows
from hindsight.label_records.sampling import WHOLE
from hindsight.registry.pointer import Pointer, Probation, Rollout, RolloutMode
from hindsight.registry.version import VersionRecord
from hindsight.rollout.evaluation.baseline import Baseline, baseline_of, kept_baseline, live_baseline
from hindsight.rollout.evaluation.comparison import (
    compare,
    compare_paired,
    difference_hypothesis,
    reverse_hypothesis,
    unweighted,
)
from hindsight.rollout.evaluation.rows import due_by, evenly_sampled, first_of_entities, matured_since
from hindsight.rollout.evaluation.sample_ratio import SampleRatio, sample_ratio
from hindsight.rollout.evaluation.verdict import (
    Measured,
    Outcome,
    Terms,
    Verdict,
    against_expectation,
    compared,
    decide,
    decide_rollout,
    stop_for,
)

Sides = tuple[LabelRows, LabelRows]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationInput:
    """The newest label records of the model, complete up to ``until``, and the test so far.

    At a ``sampled_share`` below 1 the records are those of so many of the predictions; with entities, those of so many
    of the entities too. A canary is evaluated on the one, all else on the other.
    """

    configuration: ModelConfiguration
    labels: Sequence[LabelFields]
    until: datetime
    now: datetime
    stored: SequentialTest | None = None
    sampled_share: float = WHOLE

    @property
    def predictions(self) -> LabelRows:
        """The records of the sampled predictions."""
        return LabelRows.of(self.labels).sampled(self.sampled_share)

    @property
    def entities(self) -> LabelRows:
        """The records of the sampled entities, each with all of them: its first is its first at every share."""
        return LabelRows.of(self.labels).sampled_by_entity(self.sampled_share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The result of an evaluation; ``test`` is to be stored before anything is done, None where there is none."""

    verdict: Verdict
    measured: Measured
    test: SequentialTest | None
    sampled_share: float = WHOLE
    ratio: SampleRatio | None = None

    @property
    def evidence(self) -> float | None:
        """The most evidence there was that the version is worse, None without a test."""
        return None if self.test is None else self.test.evidence

    def without_rollback_target(self) -> "Evaluation":
        """Replace the verdict on a version that fails where none before it can be served."""
        reason = f"{self.verdict.reason}; no version before it can be served"
        return replace(self, verdict=Verdict(outcome=Outcome.ROLLBACK_UNAVAILABLE, reason=reason))

    def summary(self) -> dict[str, Any]:
        """Build the operators' view of an evaluation."""
        return {
            "verdict": self.verdict.outcome.value,
            "reason": self.verdict.reason,
            "labels": self.measured.labels,
            "evidence": self.evidence,
            **({} if self.test is None or self.test.reverse is None else {"evidence_good": self.test.reverse.evidence}),
            "sampled_share": self.sampled_share,
            **({} if self.ratio is None else {"sample_ratio": self.ratio.to_json()}),
        }


def evaluate_rollout(given: EvaluationInput, pointer: Pointer, rollout: Rollout, record: VersionRecord) -> Evaluation:
    """Decide on the version of a rollout by the matured labels of the predictions made since it began.

    A canary's rows are compared with the champion's of the same time, one an entity; a shadow's predictions with the
    champion's of the same rows. A canary that answers another share than it was to is not decided.
    """
    configuration, is_canary = given.configuration, rollout.mode is RolloutMode.CANARY
    labels = given.entities if is_canary else given.predictions
    rows = evenly_sampled(matured_since(labels, rollout.since, given.until), configuration)
    sides = _canary(rows, rollout, pointer) if is_canary else _shadow(rows, rollout, pointer, configuration)
    # The rows were drawn evenly: to weigh them too would count what was reviewed for its own sake twice.
    version, champion = (unweighted(read_matured(side, configuration).predictions) for side in sides)
    terms = configuration.deployment.canary if is_canary else configuration.deployment.shadow
    ends = Terms(
        min_labels=terms.min_labels,
        confidence=configuration.gate.confidence,
        deadline=rollout.since + terms.max_age,
        undecided=Outcome.KEEP if terms.undecided is Undecided.PROMOTE else Outcome.ROLL_BACK,
    )
    baseline, test = _begin(given, pointer, rollout, baseline_of(configuration, record, pointer.champion), champion)
    ratio = sample_ratio(due_by(labels, given.until), rollout, pointer.champion) if is_canary else None
    measured = compared(baseline, version, champion)
    if ratio is not None and ratio.is_mismatch:
        # What came meanwhile is not bet on later either.
        test = None if test is None else test.replace(reached=max(test.reached, given.until), waiting=NONE_WAITING)
        verdict = stop_for(ratio, ends, given.now)
    else:
        test = None if test is None else _bet(given, test, sides, is_canary=is_canary)
        verdict = decide_rollout(test, measured, ends, given.now)
    return Evaluation(verdict=verdict, measured=measured, test=test, sampled_share=given.sampled_share, ratio=ratio)


def _begin(
    given: EvaluationInput, pointer: Pointer, rollout: Rollout, baseline: Baseline, champion: LabelledPredictions
) -> tuple[Baseline, SequentialTest | None]:
    """Find what a version is held against, and the test of it, begun or continued.

    Where no holdout says what to expect, the champion's own labels do, once there are enough; those are not bet on: a
    null must be known before the labels it is tested by.
    """
    if baseline.expected is not None:
        return baseline, _rollout_test(given, baseline, pointer, rollout)
    stored = given.stored
    asked = (EvaluationSubject.ROLLOUT, rollout.version, pointer.champion, rollout.since)
    if stored is not None and stored.claim.identity == asked:
        kept = kept_baseline(given.configuration, stored.claim.scale)
        return kept, _rollout_test(given, kept, pointer, rollout)
    live = live_baseline(given.configuration, champion)
    rules = given.configuration.deployment
    least = (rules.canary if rollout.mode is RolloutMode.CANARY else rules.shadow).min_labels
    if len(champion) < least:
        return live, None
    test = _rollout_test(given, live, pointer, rollout)
    return live, None if test is None else test.replace(reached=given.until)


def _bet(given: EvaluationInput, test: SequentialTest, sides: Sides, *, is_canary: bool) -> SequentialTest:
    """Bet on the labels of both sides that have come to count since the evaluation before."""
    if given.until <= test.reached:
        return test
    reached, compare_rows = test.reached, compare if is_canary else compare_paired
    test = test.narrowed(given.sampled_share)
    kept = LabelRows.sampled_by_entity if is_canary else LabelRows.sampled
    narrowed = (kept(side, test.sampled_share) for side in sides)
    fresh = [side.at(side.came_to_count(reached, given.until)) for side in narrowed]
    version, champion = (read_matured(side, given.configuration).predictions for side in fresh)
    found = compare_rows(test.claim.scale, version, champion, test.waiting)
    reverse = None if test.reverse is None else test.reverse.count(found.reverse, None, NONE_WAITING, given.until)
    return test.count(found.values, None, found.waiting, given.until).replace(reverse=reverse)


def evaluate_probation(
    given: EvaluationInput, pointer: Pointer, probation: Probation, record: VersionRecord
) -> Evaluation:
    """Decide on a champion on probation, by the matured labels of its predictions since it took over.

    It is compared with what the champion before it was worth on the holdout. The null of the test lies half-way to what
    is allowed, since the expectation was itself measured: a version that keeps half of it in hand is rolled back in its
    whole probation with at most the stated probability.
    """
    configuration, baseline = given.configuration, baseline_of(given.configuration, record, probation.against)
    rows = _of_version(matured_since(given.predictions, probation.since, given.until), pointer.champion)
    test = _probation_test(given, baseline, pointer, probation)
    if test is not None and given.until > test.reached:
        test = test.narrowed(given.sampled_share)
        kept = rows.sampled(test.sampled_share)
        fresh = read_matured(kept.at(kept.came_to_count(test.reached, given.until)), configuration).predictions
        test = test.count_labels(fresh, given.until)
    answers = read_matured(rows, configuration).predictions
    measured = against_expectation(baseline, answers, answers.effective_rows)
    rules = configuration.deployment.probation
    terms = Terms(
        min_labels=rules.min_labels,
        confidence=configuration.gate.confidence,
        deadline=probation.since + configuration.outcome_delay + rules.max_age,
        undecided=Outcome.KEEP,
    )
    verdict, test = decide(test, measured, terms, given.now)
    return Evaluation(verdict=verdict, measured=measured, test=test, sampled_share=given.sampled_share)


def _canary(rows: LabelRows, rollout: Rollout, pointer: Pointer) -> Sides:
    ours, others = (first_of_entities(_of_version(rows, version)) for version in (rollout.version, pointer.champion))
    return ours, others


def _shadow(rows: LabelRows, rollout: Rollout, pointer: Pointer, configuration: ModelConfiguration) -> Sides:
    """Select the rows that both predicted readably: once with the shadow's prediction, once with the champion's."""
    of_champion = _of_version(rows, pointer.champion)
    others = of_champion.at(of_champion.values("shadow.version").is_text(rollout.version))
    ours = others.as_shadow()
    readable = is_readable(ours, configuration.task) & is_readable(others, configuration.task)
    return ours.at(readable), others.at(readable)


def _of_version(rows: LabelRows, version: str) -> LabelRows:
    return rows.at(rows.values("model_version").is_text(version))


def _rollout_test(
    given: EvaluationInput, baseline: Baseline, pointer: Pointer, rollout: Rollout
) -> SequentialTest | None:
    if baseline.scale is None:
        return None
    hypothesis, reverse = difference_hypothesis(baseline.scale), reverse_hypothesis(baseline.scale)
    claim = Claim(
        subject=EvaluationSubject.ROLLOUT,
        version=rollout.version,
        against=pointer.champion,
        since=rollout.since,
        scale=baseline.scale,
        null=hypothesis.null,
        limit=hypothesis.limit,
    )
    test = SequentialTest.of(claim, rollout.since, given.stored)
    if test.reverse is not None:
        return test
    reversed_claim = claim.replace(null=reverse.null, limit=reverse.limit)
    return test.replace(reverse=SequentialTest.of(reversed_claim, test.reached, None))


def _probation_test(
    given: EvaluationInput, baseline: Baseline, pointer: Pointer, probation: Probation
) -> SequentialTest | None:
    if baseline.scale is None:
        return None
    scale = replace(baseline.scale, null=(baseline.scale.null + baseline.scale.limit) / 2)
    claim = Claim(
        subject=EvaluationSubject.PROBATION,
        version=pointer.champion,
        against=probation.against,
        since=probation.since,
        scale=scale,
        null=scale.hypothesis.null,
        limit=scale.hypothesis.limit,
    )
    heaviest = max_label_weight(given.configuration, given.labels)
    return SequentialTest.of(claim, probation.since, given.stored, scale.wealth(heaviest).heaviest)

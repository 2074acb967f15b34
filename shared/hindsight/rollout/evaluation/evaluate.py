"""One look at a trial or a probation: new labels are bet on, all of them measured, and the rule is applied."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hindsight.config.model import ModelConfiguration
from hindsight.evaluation.matured_labels import is_readable, read_matured
from hindsight.evaluation.sequential.comparison_test import Claim, SequentialTest, Waiting, counted
from hindsight.evaluation.sequential.progress import Watched
from hindsight.evaluation.weights import max_label_weight
from hindsight.label_records.rows import LabelRows
from hindsight.label_records.sampling import WHOLE
from hindsight.registry.pointer import Pointer, Probation, Trial, TrialMode
from hindsight.registry.version import VersionRecord
from hindsight.rollout.evaluation.baseline import Yardstick, yardstick
from hindsight.rollout.evaluation.comparison import compare, compare_paired, difference_hypothesis, unweighted
from hindsight.rollout.evaluation.rows import Row, evenly_reviewed, first_of_entities, matured_since
from hindsight.rollout.evaluation.verdict import (
    Measured,
    Outcome,
    Terms,
    Verdict,
    against_expectation,
    compared,
    decide,
)

Sides = tuple[LabelRows, LabelRows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a look sees: the newest label records of the model, all in up to ``until``, and the test so far.

    At a ``sampled_share`` below 1 the records are those of so many of the predictions; with entities, those of so many
    of the entities too. A canary is judged by the one, all else by the other.
    """

    configuration: ModelConfiguration
    labels: Sequence[Row]
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
class Look:
    """What a look came to; ``test`` is to be stored before anything is done, None where there is none."""

    verdict: Verdict
    measured: Measured
    test: SequentialTest | None
    sampled_share: float = WHOLE

    @property
    def evidence(self) -> float | None:
        """The most evidence there was that the version is worse, None without a test."""
        return None if self.test is None else self.test.highest

    def without_a_way_back(self) -> "Look":
        """Return the look at a version that fails where none before it can be served."""
        reason = f"{self.verdict.reason}; no version before it can be served"
        return replace(self, verdict=Verdict(outcome=Outcome.NO_WAY_BACK, reason=reason))

    def summary(self) -> dict[str, Any]:
        """Return what operators read of a look."""
        return {
            "verdict": self.verdict.outcome.value,
            "reason": self.verdict.reason,
            "labels": self.measured.labels,
            "evidence": self.evidence,
            "sampled_share": self.sampled_share,
        }


def look_at_trial(seen: Seen, pointer: Pointer, trial: Trial, record: VersionRecord) -> Look:
    """Return what to do with a version that is tried, on the matured labels of the predictions made since it is.

    A canary's rows are held against the champion's of the same time, one an entity; a shadow's answers against the
    champion's to the same rows.
    """
    configuration, measure = seen.configuration, yardstick(seen.configuration, record, pointer.champion)
    is_canary = trial.mode is TrialMode.CANARY
    labels = seen.entities if is_canary else seen.predictions
    rows = evenly_reviewed(matured_since(labels, trial.since, seen.until), configuration)
    ours, others = _canary(rows, trial, pointer) if is_canary else _shadow(rows, trial, pointer, configuration)
    terms = configuration.deployment.canary if is_canary else configuration.deployment.shadow
    test = _trial_test(seen, measure, pointer, trial)
    if test is not None and seen.until > test.reached:
        reached, tell = test.reached, compare if is_canary else compare_paired
        test = test.narrowed(seen.sampled_share)
        kept = LabelRows.sampled_by_entity if is_canary else LabelRows.sampled
        sides = (kept(side, test.sampled_share) for side in (ours, others))
        fresh = [side.at(side.came_to_count(reached, seen.until)) for side in sides]
        version, champion = (read_matured(side, configuration).predictions for side in fresh)
        values, waiting = tell(test.claim.scale, version, champion, test.waiting)
        test = counted(test, values, None, waiting, seen.until)
    # The rows were drawn evenly: to weigh them too would count what was reviewed for its own sake twice.
    version, champion = (unweighted(read_matured(side, configuration).predictions) for side in (ours, others))
    measured = compared(measure, version, champion)
    ends = Terms(
        min_labels=terms.min_labels, confidence=configuration.gate.confidence, deadline=trial.since + terms.max_age
    )
    verdict, test = decide(test, measured, ends, seen.now)
    return Look(verdict=verdict, measured=measured, test=test, sampled_share=seen.sampled_share)


def look_at_probation(seen: Seen, pointer: Pointer, probation: Probation, record: VersionRecord) -> Look:
    """Return what to do with a champion on probation, on the matured labels of what it predicted since it took over.

    It is held against what the champion before it was worth on the holdout. The null of the test lies half-way to what
    is allowed, as that of the monitor's: a version that keeps half of it in hand is taken back in its whole probation
    with at most the stated probability.
    """
    configuration, measure = seen.configuration, yardstick(seen.configuration, record, probation.against)
    rows = _of_version(matured_since(seen.predictions, probation.since, seen.until), pointer.champion)
    test = _probation_test(seen, measure, pointer, probation)
    if test is not None and seen.until > test.reached:
        test = test.narrowed(seen.sampled_share)
        kept = rows.sampled(test.sampled_share)
        fresh = read_matured(kept.at(kept.came_to_count(test.reached, seen.until)), configuration).predictions
        observed = test.claim.scale.observe(fresh, test.waiting.unpaired[0])
        waiting = Waiting(unpaired=(observed.unpaired, ()))
        test = counted(test, observed.values, observed.weights, waiting, seen.until)
    answers = read_matured(rows, configuration).predictions
    measured = against_expectation(measure, answers, answers.effective_rows)
    rules = configuration.deployment.probation
    terms = Terms(
        min_labels=rules.min_labels,
        confidence=configuration.gate.confidence,
        deadline=probation.since + configuration.outcome_delay + rules.max_age,
        undecided=Outcome.KEEP,
    )
    verdict, test = decide(test, measured, terms, seen.now)
    return Look(verdict=verdict, measured=measured, test=test, sampled_share=seen.sampled_share)


def _canary(rows: LabelRows, trial: Trial, pointer: Pointer) -> Sides:
    ours, others = (first_of_entities(_of_version(rows, version)) for version in (trial.version, pointer.champion))
    return ours, others


def _shadow(rows: LabelRows, trial: Trial, pointer: Pointer, configuration: ModelConfiguration) -> Sides:
    """Return the rows that both have answered, readably: once with the shadow's answer, once with the champion's."""
    of_champion = _of_version(rows, pointer.champion)
    others = of_champion.at(of_champion.values("shadow.version").is_text(trial.version))
    ours = others.as_shadow()
    readable = is_readable(ours, configuration.task) & is_readable(others, configuration.task)
    return ours.at(readable), others.at(readable)


def _of_version(rows: LabelRows, version: str) -> LabelRows:
    return rows.at(rows.values("model_version").is_text(version))


def _trial_test(seen: Seen, measure: Yardstick, pointer: Pointer, trial: Trial) -> SequentialTest | None:
    if measure.scale is None:
        return None
    hypothesis = difference_hypothesis(measure.scale)
    claim = Claim(
        watched=Watched.TRIAL,
        version=trial.version,
        against=pointer.champion,
        since=trial.since,
        scale=measure.scale,
        null=hypothesis.null,
        limit=hypothesis.limit,
    )
    return SequentialTest.of(claim, seen.stored)


def _probation_test(seen: Seen, measure: Yardstick, pointer: Pointer, probation: Probation) -> SequentialTest | None:
    if measure.scale is None:
        return None
    scale = replace(measure.scale, null=(measure.scale.null + measure.scale.limit) / 2)
    claim = Claim(
        watched=Watched.PROBATION,
        version=pointer.champion,
        against=probation.against,
        since=probation.since,
        scale=scale,
        null=scale.hypothesis.null,
        limit=scale.hypothesis.limit,
    )
    heaviest = max_label_weight(seen.configuration)
    return SequentialTest.of(claim, seen.stored, scale.wealth(heaviest).heaviest)

"""The sequential test: an anytime-valid bet that a version is worse than its baseline, a few labels at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import numpy as np

from hindsight.core.codec import Record
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.metrics import Floats
from hindsight.evaluation.sequential.betting import MULTIPLES, STARTS, Hypothesis, Wealth, bet
from hindsight.evaluation.sequential.observation import Scale, Unpaired
from hindsight.evaluation.sequential.subject import EvaluationSubject
from hindsight.evaluation.weights import round_up
from hindsight.label_records.sampling import WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The policy of a test.

    ``starts`` is the number of labels by which half of the bettors have begun. With ``keeps_highest`` the e-value is
    the largest there ever was: that is what may reach ``1 / alpha`` with a chance of at most alpha.
    """

    starts: float
    keeps_highest: bool


# A challenger or a new champion that is worse is mostly worse from the first day; live performance may fall at any time
# of a long life, and is measured again by whether the evidence still holds.
IN_ROLLOUT = Policy(starts=50.0, keeps_highest=True)
IN_SERVICE = Policy(starts=STARTS, keeps_highest=False)
POLICIES: Mapping[EvaluationSubject, Policy] = {
    EvaluationSubject.ROLLOUT: IN_ROLLOUT,
    EvaluationSubject.PROBATION: IN_ROLLOUT,
    EvaluationSubject.PERFORMANCE: IN_SERVICE,
    EvaluationSubject.PERFORMANCE_BESIDE: IN_SERVICE,
}


class Claim(Record, frozen=True, kw_only=True):
    """The claim that is tested: ``version`` is not worse than its baseline.

    The baseline of a rollout or a probation is the version ``against``, and it began at ``since``; that of live
    performance is a limit. ``scale`` maps labels to values from 0 to 1, on which ``null`` and ``limit`` are those of
    the bet.
    """

    subject: EvaluationSubject
    version: str
    against: str | None = None
    since: datetime | None = None
    scale: Scale
    null: float
    limit: float

    @property
    def hypothesis(self) -> Hypothesis:
        """The hypothesis that is bet against."""
        return Hypothesis(self.null, self.limit)

    @property
    def policy(self) -> Policy:
        """The policy of the claim's subject."""
        return POLICIES[self.subject]

    def wealth(self, heaviest: float) -> Wealth:
        """Build the wealth of the bettors at the start, where a value weighs ``heaviest`` at most."""
        return replace(Wealth.at_start(self.hypothesis, heaviest=heaviest), starts=self.policy.starts)

    def is_continued_by(self, other: "Claim") -> bool:
        """Check whether another claim is about the same version in the same rollout, probation or service."""
        return self.identity == other.identity

    @property
    def identity(self) -> tuple[EvaluationSubject, str, str | None, datetime | None]:
        """The version in its rollout, probation or service."""
        return (self.subject, self.version, self.against, self.since)


class WaitingLabels(Record, frozen=True, kw_only=True):
    """The labels left over: positives or negatives without a partner by side, and values of one side."""

    unpaired: tuple[Unpaired, Unpaired] = ((), ())
    values: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())


NONE_WAITING = WaitingLabels()


class SequentialTest(Record, frozen=True, kw_only=True):
    """The state of the test of a claim.

    ``reached`` is the moment up to which matured labels have been counted, each once, ``updates`` how often a test of
    this model and subject was stored. ``highest`` is the largest e-value there ever was, ``deferred_at`` the number of
    labels at which a decision was last put off, ``sampled_share`` the smallest share of the records that labels were
    counted of. ``rounds`` is the number of labels, or pairs of them, that have been bet on; it and what follows up to
    ``heaviest`` are the bettors' wealth. ``reverse`` is, of a rollout, the test on the same labels of the claim that
    the version is worse by all that is allowed.
    """

    claim: Claim
    reached: datetime
    rounds: int
    stakes: tuple[float, ...]
    mean_weight: float
    mean_square: float
    heaviest: float
    highest: float = 1.0
    deferred_at: int = 0
    waiting: WaitingLabels = NONE_WAITING
    updates: int = 0
    sampled_share: float = WHOLE
    reverse: "SequentialTest | None" = None

    @classmethod
    def of(
        cls, claim: Claim, since: datetime, stored: "SequentialTest | None", heaviest: float = 1.0
    ) -> "SequentialTest":
        """Continue the stored test if it has this claim, else begin a new one that counts labels from ``since`` on.

        One of the same version in the same rollout, probation or service, whose limit has changed, begins where the
        stored one was: no label is bet on twice. ``heaviest`` is the largest weight that a value can have.
        """
        if stored is not None and stored.claim == claim and len(stored.stakes) == len(MULTIPLES):
            return stored
        is_continued = stored is not None and stored.claim.is_continued_by(claim)
        return cls(
            claim=claim,
            reached=max(since, stored.reached) if stored and is_continued else since,
            updates=stored.updates if stored else 0,
            **_owned(claim.wealth(heaviest)),
        )

    @property
    def wealth(self) -> Wealth:
        """The wealth of the bettors."""
        return Wealth(
            self.rounds,
            np.array(self.stakes, dtype=np.float64),
            np.array(self.mean_weight, dtype=np.float64),
            np.array(self.mean_square, dtype=np.float64),
            self.heaviest,
            self.claim.policy.starts,
        )

    @property
    def evidence(self) -> float:
        """The e-value: how much richer the bettors are, or ever were, than at the start."""
        return self.highest if self.claim.policy.keeps_highest else float(self.wealth.evidence)

    @property
    def is_weighted(self) -> bool:
        """True if some labels count for others, so that their number is not what they are worth."""
        return self.heaviest > 1

    def is_significant(self, confidence: float) -> bool:
        """Check whether the version is significantly worse: the e-value has reached ``1 / (1 - confidence)``."""
        return self.evidence * (1 - confidence) >= 1

    def narrowed(self, sampled_share: float) -> "SequentialTest":
        """Narrow the test to a share of the records: from now on it counts those of its smallest share.

        The share of a test only falls, and what is kept at a share is kept at every larger one. So an evaluation that
        has room for more counts what one with less would have counted; what was counted before is not counted again;
        and which labels are counted depends on hashes and on how many records there were, never on their values.
        """
        return self.replace(sampled_share=min(self.sampled_share, sampled_share))

    def count(
        self, values: Floats, weights: Floats | None, waiting: WaitingLabels, until: datetime
    ) -> "SequentialTest":
        """Count more values, in the order their labels matured, none of them counted before.

        Where the highest e-value is kept, every value is looked at: evidence that later ones take away was evidence.
        """
        wealth, highest = self.wealth, self.highest
        weighing = np.ones(len(values)) if weights is None else weights
        if (heaviest := float(max(weighing, default=1.0))) > wealth.heaviest:
            # Drawn under other rules than today's: the bet begins again with stakes that such a row cannot overturn.
            wealth = self.claim.wealth(round_up(heaviest))
        for value, weight in zip(values, weighing, strict=True):
            wealth = bet(wealth, self.claim.hypothesis, value, weight)
            if self.claim.policy.keeps_highest:
                highest = max(highest, float(wealth.evidence))
        return self.replace(reached=until, highest=highest, waiting=waiting, **_owned(wealth))

    def count_labels(self, predictions: LabelledPredictions, until: datetime) -> "SequentialTest":
        """Count more labelled predictions of the version, in the order they matured, none of them counted before."""
        observed = self.claim.scale.observe(predictions, self.waiting.unpaired[0])
        waiting = WaitingLabels(unpaired=(observed.unpaired, ()))
        return self.count(observed.values, observed.weights, waiting, until)


class SequentialTests(Protocol):
    """The store of tests: of a model one of each subject, of versions beside the champion one each."""

    def load(self, model: str, subject: EvaluationSubject, version: str = "") -> SequentialTest | None:
        """Read the newest test of a model's subject, the present one or the last; beside the champion of a version."""

    def save(self, model: str, test: SequentialTest) -> bool:
        """Store a test one update after the stored one, or the first.

        Returns False, and stores nothing, if another evaluation has stored one since.
        """


def _owned(wealth: Wealth) -> dict[str, Any]:
    """List the stored fields of a test's wealth."""
    return {
        "rounds": wealth.rounds,
        "stakes": tuple(wealth.stakes.tolist()),
        "mean_weight": float(wealth.mean_weight),
        "mean_square": float(wealth.mean_square),
        "heaviest": float(wealth.heaviest),
    }

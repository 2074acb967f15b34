"""How far a test of what serves has come: an anytime-valid bet that it is worse, and which labels it has counted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import numpy as np

from hindsight.config.metrics import Metric, Task
from hindsight.core.times import format_time, parse_time
from hindsight.evaluation.sequential.betting import Floats, Hypothesis, Wealth, bet
from hindsight.evaluation.sequential.observation import Scale, Unpaired
from hindsight.evaluation.sequential.subject import EvaluationSubject
from hindsight.label_records.sampling import WHOLE

STARTS = 50.0  # labels by which half of the bettors have begun: what serves wrongly is mostly wrong from the first day


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What is tested: that ``version``, which is tried or serves since ``since``, is not worse than ``against``.

    ``scale`` says how labels speak of it; ``null`` and ``limit`` are those of the bet, on values from 0 to 1.
    """

    subject: EvaluationSubject
    version: str
    against: str
    since: datetime
    scale: Scale
    null: float
    limit: float

    @property
    def hypothesis(self) -> Hypothesis:
        """What is bet against."""
        return Hypothesis(self.null, self.limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What earlier labels left over: positives or negatives without a partner by side, and values of one side."""

    unpaired: tuple[Unpaired, Unpaired] = ((), ())
    values: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialTest:
    """The state of the test of a claim.

    ``reached`` is the moment up to which matured labels have been counted, each once, ``updates`` how often a test of
    this model was stored. ``highest`` is the most evidence there ever was: that is what may reach ``1 / alpha`` with
    a chance of at most alpha, so a test that is significant once stays so.
    ``deferred_at`` is the number of labels at which a decision was last put off, ``sampled_share`` the smallest share
    of the records that labels were counted of.
    """

    claim: Claim
    reached: datetime
    wealth: Wealth
    highest: float = 1.0
    deferred_at: int = 0
    waiting: Waiting = Waiting()
    updates: int = 0
    sampled_share: float = WHOLE

    @classmethod
    def of(cls, claim: Claim, stored: "SequentialTest | None", heaviest: float = 1.0) -> "SequentialTest":
        """Return the stored test if it is of this claim, else a new one that counts labels from its ``since`` on.

        One of the same rollout or probation whose limit has changed goes on from where the stored one was: no label is
        bet on twice. ``heaviest`` is the largest weight that a label can have.
        """
        if stored is not None and stored.claim == claim:
            return stored
        wealth = replace(Wealth.at_start(claim.hypothesis, heaviest=heaviest), starts=STARTS)
        goes_on = stored is not None and _subject(stored.claim) == _subject(claim)
        return cls(
            claim=claim,
            reached=stored.reached if stored and goes_on else claim.since,
            wealth=wealth,
            updates=stored.updates if stored else 0,
        )

    @property
    def rounds(self) -> int:
        """How many labels, or pairs of them, have been bet on."""
        return self.wealth.rounds

    def is_significant(self, confidence: float) -> bool:
        """Check whether it is significantly worse: the e-value has reached ``1 / (1 - confidence)``."""
        return self.highest * (1 - confidence) >= 1

    def narrowed(self, sampled_share: float) -> "SequentialTest":
        """Narrow the test to a share of the records: from now on it counts what is kept at the smallest it has met.

        The share of a test only falls, and what is kept at a share is kept at every larger one. So an evaluation that
        has room for more counts what one with less would have counted; what was counted before is not counted again;
        and which labels are counted depends on hashes and on how many records there were, never on their values.
        """
        return replace(self, sampled_share=min(self.sampled_share, sampled_share))

    def to_json(self) -> dict[str, Any]:
        """Return the test as it is kept."""
        claim, wealth = self.claim, self.wealth
        return {
            "subject": claim.subject.value,
            "version": claim.version,
            "against": claim.against,
            "since": format_time(claim.since),
            "metric": claim.scale.metric.value,
            "task": claim.scale.task.value,
            "scale": [claim.scale.null, claim.scale.limit],
            "null": claim.null,
            "limit": claim.limit,
            "reached": format_time(self.reached),
            "rounds": wealth.rounds,
            "stakes": wealth.stakes.tolist(),
            "mean_weight": float(wealth.mean_weight),
            "mean_square": float(wealth.mean_square),
            "heaviest": wealth.heaviest,
            "highest": self.highest,
            "deferred_at": self.deferred_at,
            "unpaired": [[list(row) for row in side] for side in self.waiting.unpaired],
            "values": [list(side) for side in self.waiting.values],
            "updates": self.updates,
            "sampled_share": self.sampled_share,
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "SequentialTest":
        """Return the test that ``to_json`` showed."""
        scale_null, scale_limit = row["scale"]
        first, second = (tuple((a, b, c) for a, b, c in side) for side in row["unpaired"])
        ones, others = (tuple(side) for side in row["values"])
        return cls(
            claim=Claim(
                subject=EvaluationSubject(row["subject"]),
                version=row["version"],
                against=row["against"],
                since=parse_time(row["since"]),
                scale=Scale(Metric(row["metric"]), Task(row["task"]), scale_null, scale_limit),
                null=row["null"],
                limit=row["limit"],
            ),
            reached=parse_time(row["reached"]),
            wealth=Wealth(
                row["rounds"],
                np.array(row["stakes"], dtype=np.float64),
                np.array(row["mean_weight"], dtype=np.float64),
                np.array(row["mean_square"], dtype=np.float64),
                row["heaviest"],
                STARTS,
            ),
            highest=row["highest"],
            deferred_at=row["deferred_at"],
            waiting=Waiting(unpaired=(first, second), values=(ones, others)),
            updates=row["updates"],
            sampled_share=row["sampled_share"],
        )


class SequentialTests(Protocol):
    """Where the tests are kept: of a model the one of a rollout and the one of a probation."""

    def load(self, model: str, subject: EvaluationSubject) -> SequentialTest | None:
        """Return the test of a model's rollout or probation, the present one or the last."""

    def save(self, model: str, test: SequentialTest) -> bool:
        """Store a test one update after the stored one, or the first.

        Returns False, and stores nothing, if another look has stored one since.
        """


def counted(
    test: SequentialTest, values: Floats, weights: Floats | None, waiting: Waiting, until: datetime
) -> SequentialTest:
    """Return the test after more values, in the order their labels matured, none of them counted before.

    Every value is looked at: evidence that the later ones take away again was evidence.
    """
    wealth, highest = test.wealth, test.highest
    weighing = np.ones(len(values)) if weights is None else weights
    if (heaviest := float(max(weighing, default=1.0))) > wealth.heaviest:
        # Drawn under other rules than today's: the bet begins anew with stakes that such a row cannot overturn.
        wealth = replace(Wealth.at_start(test.claim.hypothesis, heaviest=heaviest), starts=STARTS)
    for value, weight in zip(values, weighing, strict=True):
        wealth = bet(wealth, test.claim.hypothesis, value, weight)
        highest = max(highest, float(wealth.evidence))
    return replace(test, reached=until, wealth=wealth, highest=highest, waiting=waiting)


def _subject(claim: Claim) -> tuple[EvaluationSubject, str, str, datetime]:
    return claim.subject, claim.version, claim.against, claim.since

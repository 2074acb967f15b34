"""Has live performance fallen? An anytime-valid test over the life of a version, a few labels at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import numpy as np

from hindsight.config.metrics import Metric, Task
from hindsight.core.times import format_time, parse_time
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.sequential.betting import Wealth, bet
from hindsight.evaluation.sequential.observation import Scale, Unpaired, scale_of
from hindsight.label_records.sampling import WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What is tested: that ``metric`` of a version has not fallen; ``null`` and ``limit`` in its own unit."""

    model_version: str
    metric: Metric
    task: Task
    null: float
    limit: float

    @property
    def scale(self) -> Scale | None:
        """How single labels speak of the metric, None where they do not."""
        return scale_of(self.metric, self.task, null=self.null, limit=self.limit)


def claim(version: str, metric: Metric, task: Task, *, limit: float, gate_value: float | None) -> Claim:
    """Return what is tested of a version that proved ``gate_value`` at the gate and must not fall below ``limit``.

    The null is half-way between the two: a version that keeps at least half of the drop it is allowed in hand sets off
    a false alarm in its whole life with at most the stated probability, and one that falls to the limit is not
    mistaken for it. Without a better value at the gate the null is the limit.

    >>> claim("v1", Metric.ACCURACY, Task.BINARY, limit=0.85, gate_value=0.9).null
    0.875
    """
    better = gate_value is not None and (gate_value > limit if metric.greater_is_better else gate_value < limit)
    null = (limit + gate_value) / 2 if better and gate_value is not None else limit
    return Claim(model_version=version, metric=metric, task=task, null=null, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class FallTest:
    """How far the test of a claim has come.

    ``reached`` is the moment up to which matured labels have been counted, each once; ``updates`` the number of looks
    that found labels, those at earlier versions too. ``sampled_share`` is the smallest share of the predictions that
    labels were counted of.
    """

    claim: Claim
    reached: datetime
    wealth: Wealth
    updates: int = 0
    unpaired: Unpaired = ()
    sampled_share: float = WHOLE

    @classmethod
    def of(cls, claimed: Claim, since: datetime, stored: "FallTest | None", heaviest: float = 1.0) -> "FallTest | None":
        """Return the stored test if it is of this claim, else a new one; None for a metric that labels do not tell.

        A new one counts labels from ``since`` on, the promotion; of the same version, whose limit has changed, from
        where the stored one is: no label is bet on twice. ``heaviest`` is the largest weight that a label can have.
        """
        if claimed.scale is None:
            return None
        if stored is None:
            return cls(claim=claimed, reached=since, wealth=claimed.scale.wealth(heaviest))
        if stored.claim == claimed:
            return stored
        same = stored.claim.model_version == claimed.model_version
        return cls(
            claim=claimed,
            reached=max(since, stored.reached) if same else since,
            wealth=claimed.scale.wealth(heaviest),
            updates=stored.updates,
        )

    @property
    def labels(self) -> int:
        """How many labels, or pairs of labels, have been bet on."""
        return self.wealth.rounds

    @property
    def evidence(self) -> float:
        """The e-value: how much richer the bettors are than at the start."""
        return float(self.wealth.evidence)

    @property
    def is_weighted(self) -> bool:
        """Whether some labels stood for others, so that their number says little of how much they tell."""
        return self.wealth.heaviest > 1

    def is_beyond_doubt(self, confidence: float) -> bool:
        """Return whether the fall is beyond doubt at a confidence, e-value at least ``1 / (1 - confidence)``."""
        return self.evidence * (1 - confidence) >= 1

    def to_json(self) -> dict[str, Any]:
        """Return the test as it is kept."""
        wealth = self.wealth
        return {
            "model_version": self.claim.model_version,
            "metric": self.claim.metric.value,
            "task": self.claim.task.value,
            "null": self.claim.null,
            "limit": self.claim.limit,
            "reached": format_time(self.reached),
            "labels": wealth.rounds,
            "stakes": wealth.stakes.tolist(),
            "mean_weight": float(wealth.mean_weight),
            "mean_square": float(wealth.mean_square),
            "heaviest": wealth.heaviest,
            "updates": self.updates,
            "unpaired": [list(row) for row in self.unpaired],
            "sampled_share": self.sampled_share,
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "FallTest":
        """Return the test that ``to_json`` showed."""
        return cls(
            claim=Claim(
                model_version=row["model_version"],
                metric=Metric(row["metric"]),
                task=Task(row["task"]),
                null=row["null"],
                limit=row["limit"],
            ),
            reached=parse_time(row["reached"]),
            wealth=Wealth(
                row["labels"],
                np.array(row["stakes"], dtype=np.float64),
                np.array(row["mean_weight"], dtype=np.float64),
                np.array(row["mean_square"], dtype=np.float64),
                row["heaviest"],
            ),
            updates=row["updates"],
            unpaired=tuple((label, compared, weight) for label, compared, weight in row["unpaired"]),
            sampled_share=row.get("sampled_share", WHOLE),
        )


class FallTests(Protocol):
    """Where the tests are kept, one a model."""

    def load(self, model: str) -> FallTest | None:
        """Return the test of a model's serving version, or of the one before it."""

    def save(self, model: str, test: FallTest) -> bool:
        """Store a test one update after the stored one, or the first.

        Returns False, and stores nothing, if another look has counted labels since.
        """


def counted(test: FallTest, answers: LabelledPredictions, until: datetime) -> FallTest:
    """Return the test after more labels, in the order they matured, none of them counted before.

    Without any, the test stays as it is: the same look again gives the same verdict.
    """
    scale = test.claim.scale
    if scale is None or not len(answers):
        return test
    seen = scale.observe(answers, test.unpaired)
    wealth = test.wealth
    if (heaviest := max(seen.weights, default=1.0)) > wealth.heaviest:
        # Drawn under other rules than today's: the bet begins anew with stakes that such a row cannot overturn.
        wealth = replace(scale.wealth(1.0), heaviest=float(heaviest))
    for value, weight in zip(seen.values, seen.weights, strict=True):
        wealth = bet(wealth, scale.hypothesis, value, weight)
    return replace(test, reached=until, wealth=wealth, updates=test.updates + 1, unpaired=seen.unpaired)

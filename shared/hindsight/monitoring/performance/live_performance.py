"""The degradation test of the serving version's live performance, kept up to date with new labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hindsight.config.model import ModelConfiguration
from hindsight.evaluation.matured_labels import read_matured
from hindsight.evaluation.performance_limit import performance_limit
from hindsight.evaluation.sequential.degradation_test import Claim, FallTest, FallTests, claim, counted
from hindsight.evaluation.weights import max_label_weight
from hindsight.label_records.rows import LabelRows
from hindsight.label_records.sampling import WHOLE

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Champion:
    """A serving version: since when it serves, and its metric's value at the gate."""

    version: str
    since: datetime
    gate_value: float | None


@dataclass(frozen=True, slots=True)
class DegradationMonitor:
    """The keeper of the anytime-valid test of each model's serving version."""

    tests: FallTests

    def update(
        self,
        configuration: ModelConfiguration,
        champion: Champion,
        labels: Sequence[Row],
        until: datetime,
        *,
        sampled_share: float = WHOLE,
    ) -> FallTest | None:
        """Update the test with new labels; None where there is none, without a limit or for a metric without a test.

        ``labels`` are the newest label records of the window; those that count by ``until``, and did not by the
        evaluation before, are bet on. Of two evaluations at once one counts the labels, and the other takes its test.

        Where ``labels`` are of a ``sampled_share``, those are bet on that are kept at it and at every share that the
        test has met: the share of a test only falls. An evaluation with more room so bets on what one with less
        would have bet on, and what was counted at a larger share is not counted again. Which labels are bet on depends
        on the number of records and on hashes, never on the labels' values: no bet can lose its validity by that.
        """
        model, claimed = configuration.model, claim_of(configuration, champion)
        test = None if claimed is None else self._test(model, claimed, champion, max_label_weight(configuration))
        if claimed is None or test is None:
            return None
        share = min(test.sampled_share, sampled_share)
        rows = LabelRows.of(labels).sampled(share)
        is_fresh = rows.has_value & rows.values("model_version").is_text(champion.version)
        fresh = rows.at(is_fresh & rows.came_to_count(test.reached, until)).by_maturity()
        after = counted(test, read_matured(fresh, configuration).predictions, until)
        if after is test:
            return test
        after = replace(after, sampled_share=share)
        if self.tests.save(model, after):
            return after
        return self._test(model, claimed, champion, max_label_weight(configuration))

    def _test(self, model: str, claimed: Claim, champion: Champion, max_weight: float) -> FallTest | None:
        return FallTest.of(claimed, champion.since, self.tests.load(model), max_weight)


def claim_of(configuration: ModelConfiguration, champion: Champion) -> Claim | None:
    """Build the claim that is tested of a champion, None where its performance has no limit."""
    limit = performance_limit(configuration, champion.gate_value)
    if limit is None:
        return None
    return claim(
        champion.version,
        configuration.performance_metric,
        configuration.task,
        limit=limit,
        gate_value=champion.gate_value,
    )

"""One look at a version's live performance: new labels are bet on, then all of the window are described."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hindsight.config.model import ModelConfiguration
from hindsight.evaluation.matured_labels import read_matured
from hindsight.evaluation.performance_limit import performance_limit
from hindsight.evaluation.sequential.degradation_test import Claim, FallTest, FallTests, claim, counted
from hindsight.evaluation.weights import heaviest_weight
from hindsight.label_records.rows import LabelRows
from hindsight.label_records.sampling import WHOLE

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Champion:
    """Whose performance is looked at: a version, since when it serves, and what it proved at the gate."""

    version: str
    since: datetime
    gate_value: float | None


@dataclass(frozen=True, slots=True)
class FallWatch:
    """Keeps the anytime-valid test of every model's serving version up to date."""

    tests: FallTests

    def look(
        self,
        configuration: ModelConfiguration,
        champion: Champion,
        labels: Sequence[Row],
        until: datetime,
        *,
        sampled_share: float = WHOLE,
    ) -> FallTest | None:
        """Return the test after the labels that are new, None where there is none: no limit, or an unfit metric.

        ``labels`` are the newest label records of the window; those that count by ``until`` and not before the look
        before are bet on. Of two looks at once one counts the labels, and the other takes over what it found.

        Where ``labels`` are of a ``sampled_share``, those are bet on that are kept at it and at every share that the
        test has met: the share of a test only falls. A look with more room so bets on what one with less would have
        bet on, what was counted at a larger share is not counted again, and which labels are bet on depends on how
        many records there were and on hashes, never on what the labels say: of those, no bet can lose its validity.
        """
        model, claimed = configuration.model, claim_of(configuration, champion)
        test = None if claimed is None else self._test(model, claimed, champion, heaviest_weight(configuration))
        if claimed is None or test is None:
            return None
        share = min(test.sampled_share, sampled_share)
        rows = LabelRows.of(labels).sampled(share)
        is_fresh = rows.has_value & rows.values("model_version").is_text(champion.version)
        fresh = rows.at(is_fresh & rows.came_to_count(test.reached, until)).by_maturity()
        after = counted(test, read_matured(fresh, configuration).answers, until)
        if after is test:
            return test
        after = replace(after, sampled_share=share)
        if self.tests.save(model, after):
            return after
        return self._test(model, claimed, champion, heaviest_weight(configuration))

    def _test(self, model: str, claimed: Claim, champion: Champion, heaviest: float) -> FallTest | None:
        return FallTest.of(claimed, champion.since, self.tests.load(model), heaviest)


def claim_of(configuration: ModelConfiguration, champion: Champion) -> Claim | None:
    """Return what is tested of a champion, None where nothing is asked of its performance."""
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

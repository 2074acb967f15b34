"""The degradation tests of versions' live performance, kept up to date with new labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hindsight.config.metrics import Metric, Task
from hindsight.config.model import ModelConfiguration
from hindsight.entities.label_row import LabelFields
from hindsight.evaluation.matured_labels import read_matured
from hindsight.evaluation.performance_limit import performance_limit
from hindsight.evaluation.sequential.observation import scale_of
from hindsight.evaluation.sequential.sequential_test import Claim, SequentialTest, SequentialTests
from hindsight.evaluation.sequential.subject import EvaluationSubject
from hindsight.evaluation.weights import max_label_weight
from hindsight.label_records.rows import LabelRows
from hindsight.label_records.sampling import WHOLE
from hindsight.monitoring.results.monitored_version import MonitoredVersion


@dataclass(frozen=True, slots=True)
class DegradationMonitor:
    """The keeper of the anytime-valid tests of each model's serving version, and of those logged beside it."""

    tests: SequentialTests

    def update(
        self,
        configuration: ModelConfiguration,
        version: MonitoredVersion,
        labels: Sequence[LabelFields],
        until: datetime,
        *,
        sampled_share: float = WHOLE,
    ) -> SequentialTest | None:
        """Update the test with new labels; None where there is none, without a limit or for a metric without a test.

        ``labels`` are the newest label records of the window; those that count by ``until``, and did not by the
        evaluation before, are bet on. Of two evaluations at once one counts the labels, and the other takes its test.

        Where ``labels`` are of a ``sampled_share``, those are bet on that are kept at it and at every share that the
        test has met: the share of a test only falls. An evaluation with more room so bets on what one with less
        would have bet on, and what was counted at a larger share is not counted again. Which labels are bet on depends
        on the number of records and on hashes, never on the labels' values: no bet can lose its validity by that.
        """
        model, claimed = configuration.model, claim_of(configuration, version)
        if claimed is None:
            return None
        max_weight = claimed.scale.wealth(max_label_weight(configuration, labels)).heaviest
        test = self._test(model, claimed, version, max_weight)
        share = min(test.sampled_share, sampled_share)
        rows = LabelRows.of(labels).sampled(share)
        is_fresh = rows.has_value & rows.values("model_version").is_text(version.version)
        fresh = rows.at(is_fresh & rows.came_to_count(test.reached, until)).by_maturity()
        predictions = read_matured(fresh, configuration).predictions
        if not len(predictions):
            return test  # the same evaluation again gives the same verdict
        after = test.count_labels(predictions, until).replace(updates=test.updates + 1, sampled_share=share)
        if self.tests.save(model, after):
            return after
        return self._test(model, claimed, version, max_weight)

    def _test(self, model: str, claimed: Claim, version: MonitoredVersion, max_weight: float) -> SequentialTest:
        stored = self.tests.load(model, claimed.subject, version.version)
        return SequentialTest.of(claimed, version.since, stored, max_weight)


def claim_of(configuration: ModelConfiguration, version: MonitoredVersion) -> Claim | None:
    """Build the claim that is tested of a version, None where its performance has no limit."""
    limit = performance_limit(configuration, version.gate_value)
    if limit is None:
        return None
    claim = performance_claim(version.version, configuration.performance_metric, configuration.task, limit)
    if claim is None or version.champion is None:
        return claim
    return claim.replace(subject=EvaluationSubject.PERFORMANCE_BESIDE)


def performance_claim(version: str, metric: Metric, task: Task, limit: float) -> Claim | None:
    """Build the claim of a version that must not fall below ``limit``; None for a metric that is no mean over labels.

    The null is the limit, the line that people drew: a version that is exactly as good sets off a false alarm in its
    whole life with at most the stated probability, and a better one hardly ever.

    >>> claim = performance_claim("v1", Metric.ACCURACY, Task.BINARY, 0.85)
    >>> claim.scale.null
    0.85
    """
    scale = scale_of(metric, task, null=limit, limit=limit)
    if scale is None:
        return None
    on_scale = scale.hypothesis
    return Claim(
        subject=EvaluationSubject.PERFORMANCE, version=version, scale=scale, null=on_scale.null, limit=on_scale.limit
    )

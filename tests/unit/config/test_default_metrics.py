"""The metrics that gate and live performance follow where a configuration names none."""

import pytest

from hindsight.config.metrics import DEFAULT_METRIC, Metric, Task
from hindsight.evaluation.sequential.observation import scale_of
from hindsight.monitoring.estimation.estimator import ESTIMABLE
from hindsight.testing.builders.configuration import configuration


@pytest.mark.parametrize("threshold", [0.5, 0.2, "best"])
def test_live_performance_of_two_classes_is_judged_by_the_gate_s_default(threshold: float | str) -> None:
    judged = configuration(training={"threshold": threshold}, monitoring={}, gate={})
    assert judged.performance_metric is judged.gate_metric
    assert (judged.gate_metric is Metric.BALANCED_ACCURACY) == (threshold == "best")


@pytest.mark.parametrize("task", list(Task))
def test_default_live_metric_can_be_estimated_and_tested_at_every_label(task: Task) -> None:
    metric = DEFAULT_METRIC[task]
    assert metric in ESTIMABLE[task]
    assert scale_of(metric, task, null=0.8, limit=0.75 if metric.greater_is_better else 0.85) is not None

"""Definitions of all CloudWatch metrics that the code publishes, so that no unknown metric is billed."""

from local.reference.metrics import METRICS
from tests.template.metric_names import embedded_metrics, put_metrics


def test_metrics_that_are_published_are_those_that_are_defined() -> None:
    defined = {metric.name for group in METRICS.values() for metric in group}
    published = [*embedded_metrics(), *put_metrics()]
    missing = sorted({metric.pattern for metric in published if not any(map(metric.fullmatch, defined))})
    assert not missing, "define them in local/reference/metrics.py, with unit, dimensions and meaning"
    assert {name for name in defined if not any(metric.fullmatch(name) for metric in published)} == set()
    assert sum(map(len, METRICS.values())) == len(defined) > 30

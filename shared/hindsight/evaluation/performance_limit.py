"""The limit of a model's live performance."""

from hindsight.config.metrics import Metric
from hindsight.config.model import ModelConfiguration

DEFAULT_DROP = 0.05
DEFAULT_WORSENING = 0.2


def performance_limit(configuration: ModelConfiguration, gate_value: float | None) -> float | None:
    """Find the limit the metric must not fall below (a loss: not exceed), None where neither policy nor gate sets one.

    That is ``min`` (``max``), or ``max_drop`` worse than what was proved at the gate, whichever is stricter. Where the
    policy names none of them, performance may drop by 0.05, a loss grow by a fifth, before the model counts as low.
    """
    policy, metric = configuration.monitoring.performance, configuration.performance_metric
    greater = metric.greater_is_better
    asked = [limit for limit in (policy.min if greater else policy.max,) if limit is not None]
    drop = policy.max_drop if asked or policy.max_drop is not None else _default_drop(metric, gate_value)
    if drop is not None and gate_value is not None:
        asked.append(gate_value - drop if greater else gate_value + drop)
    return (max(asked) if greater else min(asked)) if asked else None


def _default_drop(metric: Metric, gate_value: float | None) -> float | None:
    if metric.greater_is_better or gate_value is None:
        return DEFAULT_DROP
    return DEFAULT_WORSENING * gate_value

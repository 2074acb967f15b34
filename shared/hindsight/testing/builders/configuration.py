"""The configuration the tests start from: every section, the way an operator would write it."""

from typing import Any

from hindsight.config.documents.strict_yaml import parse_yaml
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import parse_configuration

DOCUMENT = """
model: bike-demand
task: binary
features:
  hour: {type: categorical}
  temperature: {type: numeric, min: 0, max: 1}
  holiday: {type: boolean}
labels:
  clock_skew: PT2M
  rules:
    - {event: annotation, kind: manual}
    - {event: demand, kind: outcome, window: P2D, aggregate: last, positive: {greater_than: 100}}
    - {event: thumb, kind: explicit, window: P7D, aggregate: last, map: {up: 1, down: 0}}
    - {event: purchase, kind: action, window: P1D, aggregate: any, value: 1}
  default: {value: 0, after: P7D, requires_exposure: true}
review: {random_rate: 0.02, uncertain_per_day: 200, strategy: margin, diversity: 0.3, lease: PT15M, overlap: 1}
monitoring:
  window: P7D
  min_rows: 500
  drift: {method: psi, threshold: 0.2, alpha: 0.01, share: 0.3}
  performance: {metric: accuracy, min: 0.85, max_drop: 0.05, confidence: 0.95, min_labels: 200}
  slices: [holiday]
triggers:
  schedule: P30D
  volume: 5000
  drift: true
  performance: true
  combine: any
  cooldown: P1D
  min_new_labels: 200
  max_runs: {count: 8, per: P30D}
training: {window: P90D, holdout: 0.2, candidates: [logistic_regression, gradient_boosting], max_rows: 1000000}
gate: {metric: accuracy, floor: 0.7, margin: 0.0, confidence: 0.95, max_slice_drop: 0.05, approval: false}
deployment:
  strategy: direct
  canary: {share: 0.1, min_labels: 200, max_age: P14D}
  probation: {min_labels: 200, max_drop: 0.05}
retention: P400D
"""


def document() -> dict[str, Any]:
    """Build a fresh copy of the configuration's objects."""
    parsed = parse_yaml(DOCUMENT)
    assert isinstance(parsed, dict)
    return parsed


def configuration(**changes: Any) -> ModelConfiguration:
    """Build the configuration with some of its sections replaced."""
    return parse_configuration({**document(), **changes})

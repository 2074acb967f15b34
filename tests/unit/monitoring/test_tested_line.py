"""The line that the test of live performance judges, and its alarms in whole lives."""

from typing import Any

import numpy as np
import pytest

from hindsight.evaluation.sequential.sequential_test import SequentialTest
from hindsight.monitoring.performance.live_performance import claim_of
from hindsight.monitoring.results.monitored_version import MonitoredVersion
from tests.unit.monitoring.test_realised_performance import NOW, rules


@pytest.mark.parametrize(
    ("policy", "gate_value", "line"),
    [
        ({"min": 0.85}, 0.95, 0.85),
        ({"max_drop": 0.05}, 0.9, 0.85),
        ({"min": 0.8, "max_drop": 0.05}, 0.9, 0.85),
        ({}, 0.9, 0.85),
        ({"metric": "log_loss", "max": 0.5}, 0.3, 0.5),
        ({"metric": "log_loss", "max_drop": 0.1}, 0.3, 0.4),
    ],
)
def test_tested_line_is_the_one_that_people_drew(policy: dict[str, Any], gate_value: float, line: float) -> None:
    claimed = claim_of(rules(policy), MonitoredVersion(version="v1", since=NOW, gate_value=gate_value))
    assert claimed is not None
    assert claimed.scale.null == pytest.approx(line)


@pytest.mark.parametrize(("policy", "gate_value"), [({"min": 0.85}, 0.95), ({"max_drop": 0.05}, 0.9)])
def test_alarm_rings_in_few_lives_on_the_line_and_in_nearly_all_below_it(
    policy: dict[str, float], gate_value: float
) -> None:
    on_the_line, below = (rate_of_alarms(policy, gate_value, share) for share in (0.85, 0.75))
    assert on_the_line <= 0.05
    assert below >= 0.95


def rate_of_alarms(policy: dict[str, float], gate_value: float, share: float, lives: int = 60) -> float:
    """Measure in how many lives of a version, checked at every 50 of 1,000 labels, the test is ever significant."""
    limits, rng = rules(policy), np.random.default_rng(5)
    claimed = claim_of(limits, MonitoredVersion(version="v1", since=NOW, gate_value=gate_value))
    assert claimed is not None
    alarmed = 0
    for _ in range(lives):
        test, values = SequentialTest.of(claimed, NOW, None), (rng.random(1_000) < share).astype(np.float64)
        for piece in np.split(values, 20):
            test = test.count(piece, None, test.waiting, NOW)
            if test.is_significant(limits.monitoring.performance.confidence):
                alarmed += 1
                break
    return alarmed / lives

"""Estimates set beside what came: trusted while scores mean what they meant, and no longer."""

from typing import Any

import numpy as np
import pytest

from hindsight.monitoring.estimation.estimated_performance import check_estimate
from hindsight.monitoring.estimation.reconciliation import MAX_PAIRS, Reconciliation, reconcile
from hindsight.monitoring.results.check import Verdict
from tests.unit.monitoring.estimates import (
    Row,
    binary_rows,
    column,
    configured,
    estimator_of_binary_rows,
    profiled,
)

ESTIMATOR = estimator_of_binary_rows(20_000, seed=1)


def reconciled(rows: list[Row], level: float = 0.01, **limits: Any) -> Reconciliation:
    found = reconcile(rows, ESTIMATOR, configured(**limits), champion="v1", level=level)
    assert found is not None
    return found


def test_estimates_that_come_true_are_trusted() -> None:
    found = reconciled(binary_rows(3_500, seed=2, shift=0.5))
    assert found.trusted
    assert found.labels == 3_500
    assert [pair.first_day for pair in found.pairs] == [f"2026-03-0{day}" for day in range(1, 8)]
    assert sum(pair.labels for pair in found.pairs) == 3_500
    assert found.mean_error == pytest.approx(0.0, abs=0.03)


def test_reconciliation_compares_labels_with_scores() -> None:
    rows = binary_rows(700, seed=3)
    found = reconciled(rows)
    first = rows[:100]
    assert found.pairs[0].labels == 100
    assert found.pairs[0].realised == pytest.approx(float(np.mean(column(first, "decision") == column(first, "value"))))
    other_labels = reconciled([{**row, "value": 1 - row["value"]} for row in rows])
    assert other_labels.pairs[0].estimated == found.pairs[0].estimated
    assert other_labels.pairs[0].realised == pytest.approx(1 - found.pairs[0].realised)


@pytest.mark.parametrize("metric", ["accuracy", "roc_auc", "f1", "brier"])
def test_concept_drift_is_found_once_labels_mature(metric: str) -> None:
    found = reconciled(binary_rows(3_500, seed=4, turn=0.3), metric=metric)
    assert not found.trusted
    assert "concept drift is likely" in found.reason
    assert found.outside >= 5
    assert found.mean_error is not None
    assert (found.mean_error > 0) == (metric == "brier")


def test_estimate_that_is_not_trusted_gives_no_verdict() -> None:
    window = binary_rows(2_000, seed=5)
    configuration = configured(min=0.99)
    low, untrusted = (
        check_estimate(
            profiled(window, configuration),
            ESTIMATOR,
            configuration,
            level=0.05,
            gate_value=None,
            reconciliation=paired,
        )
        for paired in (None, reconciled(binary_rows(3_500, seed=6, turn=0.3)))
    )
    assert low.verdict is Verdict.LOW
    assert untrusted.verdict is Verdict.INSUFFICIENT
    assert untrusted.shortfall == 0.0
    assert "cannot be trusted" in untrusted.reason
    assert low.expected is not None
    assert untrusted.expected is not None
    assert untrusted.expected.value == pytest.approx(low.expected.value, abs=0.005)  # sketches draw lots


def test_true_estimates_are_not_trusted_at_most_as_often_as_the_level() -> None:
    untrusted = sum(
        not reconcile(
            binary_rows(1_000, seed=3_000 + seed),
            estimator_of_binary_rows(1_000, seed=2_000 + seed),
            configured(),
            champion="v1",
            level=0.05,
        ).trusted  # type: ignore[union-attr]
        for seed in range(60)
    )
    assert untrusted <= 8


def test_reviewed_rows_are_weighted_in_both() -> None:
    rows = binary_rows(2_000, seed=7)
    reviewed = [
        {**row, "kind": "manual", "selection_probability": 0.5 if row["features"]["x"] > 0 else 0.9} for row in rows
    ]
    found, plain = reconciled(reviewed), reconciled(rows)
    assert found.pairs[0].estimated != plain.pairs[0].estimated
    assert found.trusted


def test_many_days_make_a_bounded_number_of_pairs_and_few_labels_join_the_next_day() -> None:
    rows = binary_rows(6_000, seed=8)
    spread = [
        {**row, "occurred_at": f"20{26 + place // 3000}-{1 + place // 250 % 12:02d}-{1 + place % 28:02d}T00:00:00Z"}
        for place, row in enumerate(rows)
    ]
    assert 0 < len(reconciled(spread).pairs) <= MAX_PAIRS
    assert all(pair.labels >= 100 for pair in reconciled(spread).pairs)
    assert reconciled(rows[:50]).pairs == ()


@pytest.mark.parametrize(
    "rows", [[], [{"score": None, "decision": 1, "value": 1}], [{"score": 0.5, "decision": "x", "value": "y"}]]
)
def test_unreadable_rows_give_no_reconciliation(rows: list[Row]) -> None:
    given = [{"model_version": "v1", "occurred_at": "2026-03-01T00:00:00Z", "features": {}, **row} for row in rows]
    assert reconcile(given, ESTIMATOR, configured(), champion="v1", level=0.01) is None
    assert reconcile(binary_rows(500, seed=9), None, configured(), champion="v1", level=0.01) is None
    assert reconcile(binary_rows(500, seed=9), ESTIMATOR, configured(), champion="v2", level=0.01) is None


def test_labels_of_one_class_are_no_error() -> None:
    rows = [{**row, "value": 1} for row in binary_rows(500, seed=10)]
    assert reconcile(rows, ESTIMATOR, configured(metric="roc_auc"), champion="v1", level=0.01) is None
    assert not reconciled(rows).trusted

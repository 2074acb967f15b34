"""A label stands for the predictions it was logged for, and for those whose outcome its decision might have shown."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.config.metrics import Metric, Task
from hindsight.config.model import ModelConfiguration
from hindsight.evaluation.matured_labels import read_matured
from hindsight.evaluation.sequential.observation import Scale
from hindsight.evaluation.weights import label_weights, max_label_weight
from hindsight.label_records.rows import LabelRows
from hindsight.monitoring.performance.realised_performance import PerformanceReport, check_performance
from hindsight.rollout.evaluation.rows import evenly_sampled
from hindsight.testing.builders.configuration import configuration

OUTCOME = {"event": "repaid", "kind": "outcome", "window": "P30D"}
MANUAL = {"event": "annotation", "kind": "manual"}
BY_ACCURACY = {"performance": {"metric": "accuracy"}, "slices": ["holiday"]}
GRANTED = {"exploration": {"share": 0.02, "decision": 1}}


def rules(*rules: dict[str, Any], default: dict[str, Any] | None = None, **changes: Any) -> ModelConfiguration:
    usual: dict[str, Any] = {"review": {}, "monitoring": BY_ACCURACY}
    return configuration(labels={"rules": list(rules or (OUTCOME,)), "default": default}, **usual | changes)


def weight(settings: ModelConfiguration, **record: Any) -> float:
    return float(label_weights([{"kind": "outcome", **record}], settings).item())


def logged(rows: int, seed: int) -> list[dict[str, Any]]:
    """Labelled predictions, right more often on holidays."""
    rng = np.random.default_rng(seed)
    holiday, scores = rng.random(rows) < 0.3, rng.random(rows)
    right = rng.random(rows) < np.where(holiday, 0.95, 0.7)
    decisions = (scores >= 0.5).astype(int)
    columns = zip(holiday.tolist(), scores.tolist(), decisions.tolist(), right.tolist(), strict=True)
    return [
        {
            "prediction_id": f"{seed}-{place}",
            "kind": "outcome",
            "model_version": "v1",
            "features": {"holiday": is_holiday},
            "score": score,
            "decision": decision,
            "value": decision if is_right else 1 - decision,
        }
        for place, (is_holiday, score, decision, is_right) in enumerate(columns)
    ]


def report(records: list[dict[str, Any]], settings: ModelConfiguration | None = None) -> PerformanceReport:
    return check_performance(records, settings or rules(), champion="v1", limit=None, test=None, level=1e-5)


def test_label_stands_for_the_predictions_it_was_logged_for_with_any_default() -> None:
    assert weight(rules(), weight=10.0) == 10.0
    assert weight(rules(default={"value": 0, "after": "P30D"}), weight=10.0) == 10.0
    assert weight(rules(MANUAL, OUTCOME), kind="manual", selection_probability=0.02, weight=10.0) == 500.0


def test_label_counts_by_the_propensity_of_its_decision_only_where_outcomes_stay_hidden() -> None:
    assert weight(rules(), propensity=0.02) == 50.0
    exposed = {"value": 0, "after": "P30D", "requires_exposure": True}
    assert weight(rules(default=exposed), propensity=0.02) == 50.0
    assert weight(rules(default={"value": 0, "after": "P30D"}), propensity=0.02) == 1.0


@pytest.mark.parametrize("propensity", [None, 0, -0.1, 1.5, float("nan"), "0.5", True, 1.0])
def test_propensity_that_is_none_or_certain_changes_nothing(propensity: object) -> None:
    assert weight(rules(), propensity=propensity) == 1.0


@pytest.mark.parametrize("share", [0.1, 0.9, 0.3])
def test_share_of_a_canary_weighs_nothing(share: float) -> None:
    assert weight(rules(**GRANTED), propensity=share, version_share=share) == 1.0
    assert weight(rules(**GRANTED), propensity=share * 0.02, version_share=share) == 50.0


def test_explored_row_is_judged_by_the_decision_of_the_version() -> None:
    taken = {**logged(1, 1)[0], "score": 0.2, "decision": 1, "model_decision": 0, "value": 1}
    assert read_matured([taken], rules()).predictions.decisions.tolist() == [0.0]
    assert report([taken]).metrics["accuracy"].value == 0.0


@given(st.floats(0.01, 0.5), st.floats(0.01, 0.5))
def test_outcome_that_exploration_and_the_audit_can_show_counts_once(share: float, rate: float) -> None:
    settings = rules(MANUAL, OUTCOME, exploration={"share": share, "decision": 1}, review={"random_rate": rate})
    explored = weight(settings, propensity=share)
    audited = weight(settings, kind="manual", selection_probability=rate, propensity=1 - share)
    # Of each hidden prediction: explored with the chance of its share, else audited with that of the audit.
    assert share * explored + (1 - share) * rate * audited == pytest.approx(1.0)
    assert max(explored, audited) <= max_label_weight(settings) * (1 + 1e-9)


def test_largest_weight_is_known_before_any_label() -> None:
    assert max_label_weight(rules()) == 1.0
    assert max_label_weight(rules(**GRANTED)) == 50.0
    assert max_label_weight(rules(default={"value": 0, "after": "P30D"}, **GRANTED)) == 1.0
    assert max_label_weight(rules(**GRANTED), [{"weight": 10.0}, {"weight": 2.0}, {}]) == 16 * 50.0
    assert max_label_weight(rules(), [{"propensity": 0.1}]) == 16.0
    assert max_label_weight(rules(**GRANTED), [{"propensity": 0.02}]) == 50.0


def test_log_of_one_in_ten_has_the_performance_of_the_whole_log() -> None:
    held, shares = 0, []
    for seed in range(20):
        everything = logged(8_000, seed)
        whole = report(everything)
        part = report([{**row, "weight": 10.0} for row in everything[::10]])
        assert part.champion.effective_rows == pytest.approx(800)
        for name in ("accuracy", "roc_auc", "precision", "brier"):
            true, found = whole.metrics[name], part.metrics[name]
            assert true.value is not None
            assert found.lower is not None
            assert found.upper is not None
            held += found.lower <= true.value <= found.upper
        shares.append(part.slices["holiday"]["true"].labels)
    assert held >= 0.85 * 80  # two-sided bounds at 90 %
    assert sum(shares) / 20 == pytest.approx(240, rel=0.1)


def test_rows_logged_at_several_rates_have_the_performance_of_the_whole_log() -> None:
    held = 0
    for seed in range(25):
        everything = logged(4_000, seed)
        rng = np.random.default_rng(1_000 + seed)
        rates = [0.05 if row["features"]["holiday"] else 0.5 for row in everything]
        part = [{**row, "weight": 1 / rate} for row, rate in zip(everything, rates, strict=True) if rng.random() < rate]
        found, true = report(part).champion, report(everything).champion.value
        assert true is not None
        assert found.lower is not None
        assert found.upper is not None
        held += found.lower <= true <= found.upper
    assert held >= 18  # of 25 at 90 %, fewer come in 1 of 100


def test_weight_one_and_certain_propensity_change_no_bit() -> None:
    plain = logged(2_000, 7)
    given_ = [{**row, "weight": 1.0, "propensity": 1.0} for row in plain]
    assert report(given_) == report(plain)
    arms = [{**row, "propensity": 0.3, "version_share": 0.3} for row in plain]
    assert report(arms) == report(plain)
    assert evenly_sampled(plain, rules()) == plain


def test_rows_of_two_versions_are_compared_as_evenly_as_exploration_shows_them() -> None:
    granted = [{**row, "propensity": 1.0} for row in logged(4_000, 1)]
    explored = [{**row, "propensity": 0.02, "decision": 1, "model_decision": 0} for row in logged(100, 2)]
    kept = evenly_sampled([*granted, *explored], rules(**GRANTED)).values("propensity").numbers
    assert (kept == 0.02).sum() == 100
    assert (kept == 1.0).sum() == pytest.approx(80, abs=45)


def test_one_logging_rate_leaves_all_rows_to_the_comparison() -> None:
    assert len(evenly_sampled([{**row, "weight": 10.0} for row in logged(50, 3)], rules())) == 50


def test_bet_on_weighted_labels_is_against_the_mean_of_all_predictions() -> None:
    records = [{**row, "weight": 10.0} for row in logged(300, 4)]
    rows = LabelRows.of(records)
    observed = Scale(Metric.ACCURACY, Task.BINARY, null=0.8, limit=0.7).observe(read_matured(rows, rules()).predictions)
    assert set(observed.weights.tolist()) == {10.0}

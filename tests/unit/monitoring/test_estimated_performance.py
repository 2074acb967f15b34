"""Performance estimated from a profile: what it gets right, what it cannot see, and what it says of neither."""

import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.config.metrics import METRICS_BY_TASK, Metric, Task
from hindsight.core.codec import to_plain
from hindsight.evaluation.matured_labels import read_matured
from hindsight.evaluation.metrics import evaluate
from hindsight.monitoring.estimation.estimated_performance import EstimateReport, check_estimate, estimate_measurements
from hindsight.monitoring.estimation.estimator import (
    ESTIMABLE,
    Estimator,
    HoldoutEstimate,
    ScoreCalibration,
    expected_predictions,
)
from hindsight.monitoring.results.check import Verdict
from hindsight.profiles.profile import Profile
from tests.unit.monitoring.estimates import (
    Row,
    binary_rows,
    column,
    configured,
    estimator_of_binary_rows,
    learned,
    profiled,
)

HOLDOUT = binary_rows(20_000, seed=1)
ESTIMATOR = estimator_of_binary_rows(20_000, seed=1)


def check(
    rows: list[Row], estimator: Estimator | None = ESTIMATOR, level: float = 0.05, **limits: Any
) -> EstimateReport:
    configuration = configured(**limits)
    return check_estimate(profiled(rows, configuration), estimator, configuration, level=level, gate_value=None)


@pytest.mark.parametrize("metric", sorted(METRICS_BY_TASK[Task.BINARY]))
@pytest.mark.parametrize("shift", [0.0, 0.8])
def test_every_binary_metric_is_estimated_though_the_inputs_move(metric: Metric, shift: float) -> None:
    rows = binary_rows(20_000, seed=2, shift=shift)
    realised = read_matured(rows, configured()).predictions.measure(metric)
    assert realised is not None
    found = (check(rows).metrics or {})[metric.value]
    # The labels that came are no surer than those expected, so that twice the sampling error counts.
    allowed = 3 * float(np.sqrt(2 * found.sampling_error**2 + found.holdout_error**2))
    assert allowed < 0.05
    assert found.value == pytest.approx(realised, abs=allowed)


@pytest.mark.parametrize("confidence", [0.01, 0.3, 0.5])
def test_any_confidence_gives_an_estimate_and_bounds_around_it(confidence: float) -> None:
    report = check(binary_rows(5_000, seed=8), min=0.5, confidence=confidence)
    assert report.verdict is Verdict.OK
    json.dumps(asdict(report), allow_nan=False)
    for found in (report.metrics or {}).values():
        assert found.lower is not None
        assert found.upper is not None
        assert found.lower <= found.value <= found.upper


def test_overconfident_scores_are_calibrated() -> None:
    assert ESTIMATOR.calibration is not None
    rows = binary_rows(10_000, seed=3)
    realised = float(np.mean(column(rows, "decision") == column(rows, "value")))
    naive = expected_predictions(
        Task.BINARY, column(rows, "score"), column(rows, "decision").astype(float), column(rows, "score")
    ).measure(Metric.ACCURACY)
    assert naive is not None
    found = check(rows).expected
    assert found is not None
    assert naive > realised + 0.04
    assert found.value == pytest.approx(realised, abs=0.02)


def test_degraded_performance_is_low_before_a_label_comes() -> None:
    harder = [row for row in binary_rows(20_000, seed=4) if 0.2 < row["score"] < 0.8]
    found = check(harder, min=0.75)
    assert found.verdict is Verdict.LOW
    assert found.optimistic is not None
    assert found.shortfall == pytest.approx(0.75 - found.optimistic)
    assert "concept drift" in found.reason
    assert check(binary_rows(5_000, seed=5), min=0.75).verdict is Verdict.OK


def test_loss_is_low_when_it_is_too_large() -> None:
    harder = [row for row in binary_rows(20_000, seed=6) if 0.2 < row["score"] < 0.8]
    assert check(harder, metric="brier", max=0.15).verdict is Verdict.LOW
    assert check(harder, metric="brier", max=0.35).verdict is Verdict.OK


@pytest.mark.parametrize(("metric", "limit", "worse"), [("accuracy", "min", 1), ("brier", "max", -1)])
def test_estimate_that_breaks_the_limit_by_less_than_its_error_is_suspect_and_no_alarm(
    metric: str, limit: str, worse: int
) -> None:
    rows = binary_rows(5_000, seed=5)
    expected = check(rows, metric=metric).expected
    assert expected is not None
    found = check(rows, metric=metric, **{limit: expected.value + worse * 1e-4})
    assert (found.verdict, found.shortfall) == (Verdict.SUSPECT, 0.0)
    assert "which may be chance" in found.reason
    assert check(rows, metric=metric, **{limit: expected.value - worse * 1e-4}).verdict is Verdict.OK


def test_concept_drift_is_not_seen_and_the_report_states_it() -> None:
    turned = binary_rows(5_000, seed=8, turn=-1.0)
    found = check(turned, min=0.75)
    assert float(np.mean(column(turned, "decision") == column(turned, "value"))) < 0.35
    assert found.verdict is Verdict.OK
    assert "concept drift" in found.assumption
    assert found.summary()["assumption"] == found.assumption


def test_estimates_are_low_by_chance_no_more_often_than_their_level() -> None:
    truth = ESTIMATOR.metrics[Metric.ACCURACY].realised
    # A limit where the performance really is: one-sided at 5 %.
    low = sum(
        check(
            binary_rows(600, seed=1_000 + seed), estimator=estimator_of_binary_rows(1_000, seed=2_000 + seed), min=truth
        ).verdict
        is Verdict.LOW
        for seed in range(60)
    )
    assert low <= 8  # of 60 at 5 %, more than 8 come in 1 of 300


def test_interval_widens_with_a_small_holdout_and_a_small_window() -> None:
    small = learned(binary_rows(400, seed=9))
    window = binary_rows(4_000, seed=10)
    wide, narrow = check(window, estimator=small).expected, check(window).expected
    assert wide is not None
    assert narrow is not None
    assert wide.holdout_error > 4 * narrow.holdout_error
    few = check(window[:600]).expected
    assert few is not None
    assert few.sampling_error > 2 * narrow.sampling_error


def test_estimate_costs_the_same_for_a_hundred_times_the_rows() -> None:
    rows = binary_rows(3_000, seed=11)
    once = profiled(rows, configured())
    often = Profile.merged([once] * 100)
    first, many = (
        check_estimate(profile, ESTIMATOR, configured(), level=0.05, gate_value=None) for profile in (once, often)
    )
    assert many.rows == 300_000
    assert first.expected is not None
    assert many.expected is not None
    assert many.expected.value == pytest.approx(first.expected.value, abs=0.004)
    assert sum(len(sketch.distribution().values) for sketch in often.score_by_decision.values()) < 5_000


def test_multiclass_accuracy_is_estimated_from_the_decided_class_alone() -> None:
    rng = np.random.default_rng(12)

    def draw(count: int) -> list[Row]:
        scores = rng.uniform(0.34, 1.0, count)
        decisions = rng.choice(["a", "b", "c"], count)
        right = rng.uniform(size=count) < scores**1.5
        return [
            {
                "prediction_id": str(place),
                "score": float(scores[place]),
                "decision": str(decisions[place]),
                "value": str(decisions[place]) if right[place] else "d",
                "features": {},
            }
            for place in range(count)
        ]

    estimator = learned(draw(5_000), Task.MULTICLASS)
    assert set(estimator.metrics) == ESTIMABLE[Task.MULTICLASS]
    window = draw(5_000)
    configuration = configured("multiclass", min=0.3)
    found = check_estimate(profiled(window, configuration), estimator, configuration, level=0.05, gate_value=None)
    realised = float(np.mean(column(window, "decision") == column(window, "value")))
    assert found.verdict is Verdict.OK
    assert found.expected is not None
    assert found.expected.value == pytest.approx(realised, abs=0.02)
    of_f1 = configured("multiclass", metric="f1", min=0.3)
    refused = check_estimate(profiled(window, of_f1), estimator, of_f1, level=0.05, gate_value=None)
    assert refused.verdict is Verdict.INSUFFICIENT
    assert "cannot be estimated" in refused.reason


@pytest.mark.parametrize(
    "broken",
    [
        {"score": None},
        {"score": float("nan")},
        {"score": float("inf")},
        {"score": "0.9"},
        {"decision": "approve"},
        {"decision": None},
    ],
)
def test_broken_predictions_are_insufficient_and_no_alarm(broken: dict[str, Any]) -> None:
    found = check([{**row, **broken} for row in binary_rows(1_000, seed=13)], min=0.99)
    assert found.verdict is Verdict.INSUFFICIENT
    assert found.shortfall == 0.0
    json.dumps(asdict(found), allow_nan=False)


def test_empty_window_and_a_version_without_an_estimator_are_insufficient() -> None:
    assert check([], min=0.9).verdict is Verdict.INSUFFICIENT
    assert check(binary_rows(1_000, seed=14), estimator=None, min=0.9).verdict is Verdict.INSUFFICIENT
    nothing = check_estimate(Profile.empty(), ESTIMATOR, configured(), level=0.05, gate_value=None)
    assert (nothing.verdict, nothing.rows) == (Verdict.INSUFFICIENT, 0)


@given(score=st.sampled_from([-5.0, 0.0, 0.3, 1.0, 2.0, 1e300]), decision=st.sampled_from([0, 1]))
@settings(deadline=None)
def test_constant_scores_give_a_report(score: float, decision: int) -> None:
    rows = [{"prediction_id": str(n), "features": {}, "score": score, "decision": decision} for n in range(600)]
    for metric in sorted(METRICS_BY_TASK[Task.BINARY]):
        found = check(rows, metric=metric.value)
        json.dumps(asdict(found), allow_nan=False)
        assert found.verdict in {Verdict.OK, Verdict.INSUFFICIENT}


def test_scores_beyond_the_holdout_are_reported() -> None:
    sure = [{**row, "score": 1.0, "decision": 1} for row in binary_rows(1_000, seed=15)]
    found = check([*binary_rows(2_000, seed=16), *[{**row, "prediction_id": f"s{n}"} for n, row in enumerate(sure)]])
    assert found.extrapolated == pytest.approx(1 / 3, abs=0.01)
    assert "beyond all the holdout had" in found.reason


def test_estimate_becomes_metrics_only_where_there_is_one() -> None:
    names = [number.name for number in estimate_measurements("demand", "v1", check(binary_rows(1_000, seed=17)))]
    assert names == ["EstimatedPerformance"]
    assert estimate_measurements("demand", "v1", check([])) == []


def test_shortfall_of_the_estimate_is_published_by_model() -> None:
    low = replace(check(binary_rows(1_000, seed=17)), shortfall=0.25)
    shortfall, _ = estimate_measurements("demand", "v1", low)
    assert (shortfall.name, shortfall.value) == ("EstimatedPerformanceShortfall", 0.25)
    assert shortfall.dimensions == {"Model": "demand"}


def test_estimator_comes_back_from_json_as_it_was() -> None:
    assert Estimator.from_json(json.loads(json.dumps(to_plain(ESTIMATOR)))) == ESTIMATOR
    plain = Estimator(
        task=Task.BINARY,
        rows=1,
        least_score=0.0,
        greatest_score=1.0,
        metrics={Metric.ACCURACY: HoldoutEstimate(realised=0.9, estimated=0.8, standard_error=0.1)},
    )
    assert Estimator.from_json(json.loads(json.dumps(to_plain(plain)))) == plain
    assert plain.metrics[Metric.ACCURACY].bias == pytest.approx(-0.1)


@given(
    scores=st.lists(st.floats(0.01, 0.99), min_size=1, max_size=8),
    knots=st.tuples(st.floats(0.0, 0.5), st.floats(0.5, 1.0)),
)
@settings(deadline=None)
def test_expected_metric_is_the_mean_over_all_labels_there_could_be(
    scores: list[float], knots: tuple[float, float]
) -> None:
    """Of accuracy, Brier score and log loss, which are means over rows, exactly."""
    given_scores = np.array(scores)
    decisions = (given_scores >= 0.5).astype(float)
    chances = ScoreCalibration((0.0, 1.0), knots).apply(given_scores)
    expected = expected_predictions(Task.BINARY, given_scores, decisions, chances)
    for metric in (Metric.ACCURACY, Metric.BRIER, Metric.LOG_LOSS):
        mean = 0.0
        for outcome in range(2 ** len(scores)):
            labels = np.array([(outcome >> place) & 1 for place in range(len(scores))], dtype=float)
            value = evaluate(metric, Task.BINARY, labels, decisions, given_scores)
            assert value is not None
            mean += value * float(np.prod(np.where(labels == 1, chances, 1 - chances)))
        assert expected.measure(metric) == pytest.approx(mean, abs=1e-9)


@pytest.mark.parametrize("level", [1e-9, 1e-5, 0.05, 0.5])
def test_less_a_check_may_spend_the_farther_its_bound(level: float) -> None:
    harder = [row for row in binary_rows(20_000, seed=18) if 0.2 < row["score"] < 0.8]
    found = check(harder, level=level, min=0.99)
    assert found.expected is not None
    assert found.expected.value <= (found.optimistic or 0.0) < 0.99
    assert found.verdict is Verdict.LOW

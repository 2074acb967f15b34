"""The paired bootstrap: bounds, few rows, entities, weights and seeds."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from hindsight.config.metrics import DEFAULT_GATE_METRIC, METRICS_BY_TASK, Metric, Task
from hindsight.training.gate.bootstrap import PairedPredictions, paired_difference
from hindsight.training.gate.gate import Contest, baseline_predictions, judge
from tests.unit.training.contests import ROWS, binary, configuration, contest, named, right_with


def promoted(champion_chance: float, challenger_chance: float, trials: int, confidence: float) -> float:
    """Share of simulated challengers whose bound exceeds zero."""
    rng = np.random.default_rng(20260301)
    passed = 0
    for trial in range(trials):
        labels = (rng.random(ROWS) < 0.5).astype(np.float64)
        champion, challenger = right_with(champion_chance, labels, rng), right_with(challenger_chance, labels, rng)
        found = paired_difference(
            PairedPredictions(labels, champion, challenger), Metric.ACCURACY, confidence, seed=trial
        )
        passed += found is not None and found.lower > 0
    return passed / trials


def test_challengers_as_good_as_the_champion_pass_no_more_often_than_the_confidence_allows() -> None:
    assert 0.03 < promoted(0.8, 0.8, trials=400, confidence=0.9) <= 0.1


def test_better_challengers_pass_and_worse_ones_do_not() -> None:
    assert promoted(0.7, 0.85, trials=20, confidence=0.95) > 0.95
    assert promoted(0.85, 0.7, trials=20, confidence=0.95) == 0


def test_a_copy_of_the_champion_never_passes() -> None:
    rng = np.random.default_rng(1)
    labels = (rng.random(ROWS) < 0.5).astype(np.float64)
    champion = right_with(0.9, labels, rng)
    checks = named(judge(contest(champion, champion, labels), configuration()))
    assert not checks["better_than_champion"].passed
    assert checks["better_than_champion"].value == 0.0


def test_a_negative_margin_lets_an_equal_challenger_pass() -> None:
    rng = np.random.default_rng(1)
    labels = (rng.random(ROWS) < 0.5).astype(np.float64)
    champion = right_with(0.9, labels, rng)
    assert all(
        check.passed for check in judge(contest(champion, champion, labels), configuration(gate={"margin": -0.01}))
    )


def test_a_first_version_that_is_no_better_than_the_trivial_answer_stays_out() -> None:
    rng = np.random.default_rng(14)
    passed = 0
    for _ in range(40):
        labels = (rng.random(ROWS) < 0.5).astype(np.float64)
        guess = right_with(0.5, labels, rng)
        passed += named(judge(contest(None, guess, labels), configuration()))["better_than_baseline"].passed
    assert passed <= 6


@pytest.mark.parametrize(
    ("gate", "passed"),
    [({"floor": 0.7}, True), ({"floor": 0.99}, False), ({}, True)]
    + [({"metric": "log_loss", "floor": limit}, limit == 0.6) for limit in (0.6, 0.01)],
)
def test_the_floor_is_the_worst_value_allowed(gate: dict[str, Any], passed: bool) -> None:
    rng = np.random.default_rng(6)
    labels = (rng.random(ROWS) < 0.5).astype(np.float64)
    checks = named(judge(contest(None, right_with(0.9, labels, rng), labels), configuration(gate=gate)))
    assert checks["floor"].passed is passed


def test_a_first_version_must_beat_the_trivial_answer() -> None:
    labels = np.array([0.0] * 70 + [1.0] * 30)
    always_no = binary(np.full(100, 0.1))
    assert not named(judge(contest(None, always_no, labels), configuration()))["better_than_baseline"].passed
    assert named(judge(contest(None, binary(labels), labels), configuration()))["better_than_baseline"].passed


def test_default_metric_lets_a_ranking_of_rare_cases_pass_and_not_the_majority_answer() -> None:
    rng = np.random.default_rng(3)
    labels = (rng.random(600) < 0.1).astype(np.float64)
    ranking = binary(np.clip(0.08 + 0.15 * labels + 0.1 * rng.normal(size=600), 0.01, 0.49))
    by_default = configuration(gate={})
    assert ranking.measure(Metric.ACCURACY, labels) == binary(np.zeros(600)).measure(Metric.ACCURACY, labels)
    assert named(judge(contest(None, ranking, labels), by_default))["better_than_baseline"].passed
    assert not named(judge(contest(None, binary(np.full(600, 0.1)), labels), by_default))["better_than_baseline"].passed


@pytest.mark.parametrize(
    ("task", "counts", "labels"),
    [
        (Task.BINARY, {"rows": 10, "classes": {"0": 9, "1": 1}}, np.array([0.0] * 90 + [1.0] * 10)),
        (Task.MULTICLASS, {"rows": 10, "classes": {"a": 9, "b": 1}}, np.array(["a"] * 90 + ["b"] * 10)),
    ],
)
def test_majority_answer_is_worth_no_more_than_chance_by_the_default_metric(
    task: Task, counts: dict[str, Any], labels: Any
) -> None:
    metric = DEFAULT_GATE_METRIC[task]
    assert baseline_predictions(task, metric, counts, 100).measure(metric, labels) == 0.5


def test_one_bad_slice_stops_a_better_challenger_and_small_slices_do_not_count() -> None:
    rng = np.random.default_rng(7)
    labels = (rng.random(1000) < 0.5).astype(np.float64)
    hour = np.array(["8"] * 800 + ["20"] * 150 + ["3"] * 50, dtype=object)
    champion = right_with(0.7, labels, rng)
    challenger = binary(np.where(hour == "8", labels, 1 - labels))
    settings = configuration(monitoring={"slices": ["hour"]}, gate={"min_slice_rows": 100})
    checks = named(judge(contest(champion, challenger, labels, pd.DataFrame({"hour": hour})), settings))
    assert checks["better_than_champion"].passed
    assert "at 90% confidence worse by at least" in checks["slice hour=20"].detail
    assert {name: check.passed for name, check in checks.items() if name.startswith("slice")} == {
        "slice hour=20": False,
        "slice hour=8": True,
    }


@pytest.mark.parametrize(("rows", "lost", "passed"), [(100, 8, True), (300, 30, False), (300, 12, True)])
def test_slice_fails_for_a_significant_drop_beyond_the_limit(rows: int, lost: int, passed: bool) -> None:
    labels = np.ones(2_000)
    places = np.arange(2_000)
    # Of the rows that differ in the slice, the challenger loses ``lost`` more than it gains.
    differ = 20
    champion = binary(np.where(places < differ, 0.1, 0.9))
    challenger = binary(np.where((places >= differ) & (places < 2 * differ + lost), 0.1, 0.9))
    part = np.where(places < rows, "few", "rest").astype(object)
    settings = configuration(monitoring={"slices": ["hour"]}, gate={"metric": "accuracy"})
    checks = named(judge(contest(champion, challenger, labels, pd.DataFrame({"hour": part})), settings))
    found = checks["slice hour=few"]
    assert found.value == pytest.approx(lost / rows)
    assert found.passed is passed
    assert ("which chance explains" in found.detail) is (passed and lost / rows > 0.05)


def test_slice_of_missing_values_and_of_a_number_with_two_values_are_judged() -> None:
    labels = np.tile([0.0, 1.0], 1_000)
    held, flag = binary(np.where(labels > 0, 0.9, 0.1)), np.repeat([0.0, 1.0], 1_000)
    worse_on_ones = binary(np.where((labels > 0) & (flag < 1), 0.9, 0.1))
    missing = np.where(flag > 0, np.nan, np.arange(2_000))
    frame = pd.DataFrame({"flag": flag, "amount": missing})
    settings = configuration(
        features={"flag": {"type": "numeric"}, "amount": {"type": "numeric"}},
        monitoring={"slices": ["flag", "amount"]},
        gate={"metric": "accuracy", "margin": -1.0},
    )

    checks = named(judge(contest(held, worse_on_ones, labels, frame), settings))

    failed = {name for name, check in checks.items() if not check.passed}
    assert failed == {"slice flag=1", "slice amount=(missing)"}


@pytest.mark.parametrize("metric", ["precision", "f1"])
@pytest.mark.parametrize("champion_serves", [False, True])
def test_opponent_that_never_says_yes_is_beaten_by_a_version_that_is_right(metric: str, champion_serves: bool) -> None:
    labels = (np.arange(1_000) % 5 == 0).astype(np.float64)
    never, perfect = binary(np.full(1_000, 0.1)), binary(labels * 0.8 + 0.1)
    met = Contest(
        labels=labels,
        frame=pd.DataFrame({"hour": ["a"] * 1_000}),
        challenger=perfect,
        baseline=never,
        champion=never if champion_serves else None,
    )

    checks = judge(met, configuration(gate={"metric": metric}))

    assert [check.name for check in checks if not check.passed] == []
    detail = next(check.detail for check in checks if check.name.startswith("better_than"))
    assert ("has no precision" in detail) is (metric == "precision")


@pytest.mark.parametrize("champion_serves", [False, True])
def test_opponent_that_always_says_yes_is_beaten_by_a_version_that_is_mostly_right(champion_serves: bool) -> None:
    labels = (np.arange(1_000) % 5 > 0).astype(np.float64)
    always, good = binary(np.full(1_000, 0.9)), right_with(0.9, labels, np.random.default_rng(1))
    met = Contest(
        labels=labels,
        frame=pd.DataFrame({"hour": [str(row % 4) for row in range(1_000)]}),
        challenger=good,
        baseline=always,
        champion=always if champion_serves else None,
    )

    checks = judge(met, configuration(gate={"metric": "recall"}, monitoring={"slices": ["hour"]}))

    assert [check.name for check in checks if not check.passed] == []
    assert any("cannot be beaten by recall" in check.detail for check in checks)


def test_version_no_better_than_chance_does_not_beat_one_that_never_says_yes() -> None:
    labels = (np.arange(1_000) % 5 == 0).astype(np.float64)
    lucky = binary(np.random.default_rng(3).uniform(size=1_000))
    met = Contest(
        labels=labels, frame=pd.DataFrame({"hour": ["a"] * 1_000}), challenger=lucky, baseline=binary(np.zeros(1_000))
    )

    assert not named(judge(met, configuration(gate={"metric": "precision"})))["better_than_baseline"].passed


def test_holdout_of_one_class_is_named_as_such() -> None:
    labels = np.zeros(500)
    met = Contest(
        labels=labels,
        frame=pd.DataFrame({"hour": ["a"] * 500}),
        challenger=binary(np.linspace(0.1, 0.9, 500)),
        baseline=binary(labels),
    )

    found = named(judge(met, configuration(gate={"metric": "roc_auc"})))["better_than_baseline"]

    assert not found.passed
    assert found.detail.endswith("all of them have the same label")


@pytest.mark.parametrize("task", list(Task))
def test_the_trivial_answer_is_measured_like_any_other(task: Task) -> None:
    labels = {
        Task.BINARY: np.array([0.0, 1.0, 0.0]),
        Task.MULTICLASS: np.array(["a", "b", "c"]),
        Task.REGRESSION: np.array([1.0, 2.0, 4.0]),
    }[task]
    classes = {"0": 6, "1": 4} if task is Task.BINARY else {"a": 5, "b": 5}
    counts = {"rows": 10, "classes": classes, "mean": 2.0, "median": 1.5}
    for metric in METRICS_BY_TASK[task] - {Metric.PRECISION, Metric.F1}:
        assert baseline_predictions(task, metric, counts, 3).measure(metric, labels) is not None, metric

from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.configuration.features import FeatureType
from shared.configuration.metrics import METRICS_BY_TASK, Metric, Task
from shared.configuration.model import ModelConfiguration
from shared.registry.version import Check
from shared.training.bootstrap import Paired, paired_difference
from shared.training.gate import Contest, judge, slices_of, trivial_answers
from shared.training.scoring import Answers
from tests.unit.training.world import revision

ROWS = 400


def configuration(task: str = "binary", **sections: Any) -> ModelConfiguration:
    return revision(task, **sections).configuration


def binary(scores: Any) -> Answers:
    scores = np.asarray(scores, dtype=np.float64)
    return Answers(Task.BINARY, (scores >= 0.5).astype(np.float64), scores)


def right_with(chance: float, labels: Any, rng: np.random.Generator) -> Answers:
    """Answers that are right with a chance, each row by itself."""
    right = rng.random(len(labels)) < chance
    return binary(np.where(right, labels, 1 - labels) * 0.6 + 0.2)


def contest(champion: Answers | None, challenger: Answers, labels: Any, frame: pd.DataFrame | None = None) -> Contest:
    baseline = trivial_answers(Task.BINARY, Metric.ACCURACY, {"rows": 10, "classes": {"0": 6, "1": 4}}, len(labels))
    return Contest(
        labels=labels,
        frame=pd.DataFrame() if frame is None else frame,
        challenger=challenger,
        baseline=baseline,
        champion=champion,
    )


def named(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def promoted(champion_chance: float, challenger_chance: float, trials: int, confidence: float) -> float:
    """Share of simulated challengers whose bound exceeds zero."""
    rng = np.random.default_rng(20260301)
    passed = 0
    for trial in range(trials):
        labels = (rng.random(ROWS) < 0.5).astype(np.float64)
        champion, challenger = right_with(champion_chance, labels, rng), right_with(challenger_chance, labels, rng)
        found = paired_difference(
            Paired(labels, champion, challenger), Metric.ACCURACY, confidence, seed=trial, resamples=60
        )
        passed += found is not None and found.lower > 0
    return passed / trials


def test_challengers_as_good_as_the_champion_pass_no_more_often_than_the_confidence_allows() -> None:
    assert promoted(0.8, 0.8, trials=150, confidence=0.9) == pytest.approx(0.1, abs=0.06)


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


@pytest.mark.parametrize("metric", sorted(METRICS_BY_TASK[Task.BINARY]))
def test_whatever_the_metric_better_is_positive_and_its_bound_below_it(metric: Metric) -> None:
    rng = np.random.default_rng(2)
    labels = (rng.random(ROWS) < 0.5).astype(np.float64)
    good, bad = right_with(0.95, labels, rng), right_with(0.6, labels, rng)
    better = paired_difference(Paired(labels, bad, good), metric, 0.95, seed=1, resamples=60)
    worse = paired_difference(Paired(labels, good, bad), metric, 0.95, seed=1, resamples=60)
    assert better is not None
    assert worse is not None
    assert 0 < better.lower < better.estimate
    assert worse.lower < worse.estimate < 0


@pytest.mark.parametrize("metric", sorted(METRICS_BY_TASK[Task.REGRESSION]))
def test_regression_metrics_know_their_direction(metric: Metric) -> None:
    rng = np.random.default_rng(3)
    labels = rng.normal(size=ROWS)
    good, bad = (Answers(Task.REGRESSION, values, values) for values in (labels + 0.1, labels + rng.normal(size=ROWS)))
    better = paired_difference(Paired(labels, bad, good), metric, 0.95, seed=1, resamples=60)
    assert better is not None
    assert better.lower > 0


def test_rows_collapsed_into_cells_give_the_bound_that_the_rows_give() -> None:
    rng = np.random.default_rng(4)
    labels = (rng.random(ROWS) < 0.5).astype(np.float64)
    paired = Paired(labels, right_with(0.7, labels, rng), right_with(0.8, labels, rng))
    # For decisions turned into scores of 0 and 1 the Brier score is the share of errors, drawn row by row.
    as_scores = Paired(labels, binary(paired.champion.decisions), binary(paired.challenger.decisions))
    cells = paired_difference(paired, Metric.ACCURACY, 0.95, seed=1)
    rows = paired_difference(as_scores, Metric.BRIER, 0.95, seed=1)
    assert cells is not None
    assert rows is not None
    assert cells.estimate == pytest.approx(rows.estimate)
    assert cells.lower == pytest.approx(rows.lower, abs=0.01)


def test_the_same_seed_gives_the_same_bound() -> None:
    rng = np.random.default_rng(5)
    labels = (rng.random(ROWS) < 0.5).astype(np.float64)
    paired = Paired(labels, right_with(0.7, labels, rng), right_with(0.8, labels, rng))
    assert paired_difference(paired, Metric.ROC_AUC, 0.95, seed=3, resamples=50) == paired_difference(
        paired, Metric.ROC_AUC, 0.95, seed=3, resamples=50
    )


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


def test_one_bad_slice_stops_a_better_challenger_and_small_slices_do_not_count() -> None:
    rng = np.random.default_rng(7)
    labels = (rng.random(1000) < 0.5).astype(np.float64)
    hour = np.array(["8"] * 800 + ["20"] * 150 + ["3"] * 50, dtype=object)
    champion = right_with(0.7, labels, rng)
    challenger = binary(np.where(hour == "8", labels, 1 - labels))
    settings = configuration(monitoring={"slices": ["hour"]}, gate={"min_slice_rows": 100})
    checks = named(judge(contest(champion, challenger, labels, pd.DataFrame({"hour": hour})), settings))
    assert checks["better_than_champion"].passed
    assert {name: check.passed for name, check in checks.items() if name.startswith("slice")} == {
        "slice hour=20": False,
        "slice hour=8": True,
    }


def test_numbers_are_sliced_into_quarters_that_hold_every_row_once() -> None:
    column = pd.Series([*np.random.default_rng(8).normal(size=100), np.nan])
    slices = [rows for _, rows in slices_of(column, FeatureType.NUMERIC)]
    assert [int(rows.sum()) for rows in slices] == [25, 25, 25, 25]
    assert np.array_equal(np.sum(slices, axis=0), ~np.isnan(column.to_numpy()))
    assert list(slices_of(pd.Series([np.nan, np.nan]), FeatureType.NUMERIC)) == []


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
        assert trivial_answers(task, metric, counts, 3).measure(metric, labels) is not None, metric

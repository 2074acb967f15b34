from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hindsight.config.features import FeatureType
from hindsight.config.metrics import METRICS_BY_TASK, Metric, Task
from hindsight.config.model import ModelConfiguration
from hindsight.registry.version import Check
from hindsight.training.gate.bootstrap import Paired, paired_difference
from hindsight.training.gate.gate import Contest, baseline_predictions, judge, slices_of
from hindsight.training.models.scoring import Predictions
from tests.unit.training.world import revision

ROWS = 400


def configuration(task: str = "binary", **sections: Any) -> ModelConfiguration:
    return revision(task, **sections).configuration


def binary(scores: Any) -> Predictions:
    scores = np.asarray(scores, dtype=np.float64)
    return Predictions(Task.BINARY, (scores >= 0.5).astype(np.float64), scores)


def right_with(chance: float, labels: Any, rng: np.random.Generator) -> Predictions:
    """Answers that are right with a chance, each row by itself."""
    right = rng.random(len(labels)) < chance
    return binary(np.where(right, labels, 1 - labels) * 0.6 + 0.2)


def contest(
    champion: Predictions | None, challenger: Predictions, labels: Any, frame: pd.DataFrame | None = None
) -> Contest:
    baseline = baseline_predictions(
        Task.BINARY, Metric.ACCURACY, {"rows": 10, "classes": {"0": 6, "1": 4}}, len(labels)
    )
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
        found = paired_difference(Paired(labels, champion, challenger), Metric.ACCURACY, confidence, seed=trial)
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
    good, bad = (
        Predictions(Task.REGRESSION, values, values) for values in (labels + 0.1, labels + rng.normal(size=ROWS))
    )
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


def test_a_few_rows_that_differ_are_no_proof_however_they_fall() -> None:
    labels = np.ones(ROWS)
    champion = binary(np.full(ROWS, 0.9))
    bounds = []
    for gained in (2, 4, 40):
        worse = binary(np.where(np.arange(ROWS) < gained, 0.1, 0.9))
        found = paired_difference(Paired(labels, worse, champion), Metric.ACCURACY, 0.95, seed=1)
        assert found is not None
        assert found.estimate == pytest.approx(gained / ROWS)
        bounds.append(found.lower)
    # Two or four of one kind come about by chance in 25 and 6 of 100 draws, forty do not.
    assert bounds[0] < 0
    assert bounds[1] < 0 < bounds[2]


def test_one_huge_error_of_the_champion_is_no_proof() -> None:
    rng = np.random.default_rng(9)
    labels = rng.normal(size=ROWS)
    errors = rng.normal(size=(2, ROWS))
    errors[0, 0] = 300.0
    champion, challenger = (Predictions(Task.REGRESSION, labels + of, labels + of) for of in errors)
    found = paired_difference(Paired(labels, champion, challenger), Metric.RMSE, 0.95, seed=1)
    assert found is not None
    assert found.lower < 0.0
    assert found.estimate > 10.0


def test_rows_of_one_entity_are_no_independent_evidence() -> None:
    rng = np.random.default_rng(10)
    entity = np.repeat(np.arange(20), 50)
    labels = np.ones(len(entity))
    understood = rng.random(20) < 0.6
    challenger = binary(np.where(understood[entity], 0.9, 0.1))
    champion = binary(np.where(np.roll(understood, 3)[entity], 0.9, 0.1))
    challenger.decisions[:200] = 1.0
    alone = paired_difference(Paired(labels, champion, challenger), Metric.ACCURACY, 0.95, seed=1)
    together = paired_difference(Paired(labels, champion, challenger, None, entity), Metric.ACCURACY, 0.95, seed=1)
    assert alone is not None
    assert together is not None
    assert alone.estimate == together.estimate
    # Fifty rows that say the same are one: the bound lies the root of fifty further away, and more for so few.
    assert together.estimate - together.lower > 7 * (alone.estimate - alone.lower)


def test_a_difference_that_is_the_same_everywhere_needs_rows_enough_to_be_no_chance() -> None:
    for rows, proven in ((4, False), (5, True)):
        labels = np.ones(rows)
        paired = Paired(labels, binary(np.full(rows, 0.1)), binary(np.full(rows, 0.9)))
        found = paired_difference(paired, Metric.ACCURACY, 0.95, seed=1)
        assert (found is not None) is proven
        copy = paired_difference(replace(paired, challenger=paired.champion), Metric.ACCURACY, 0.95, seed=1)
        assert copy is not None
        assert (copy.estimate, copy.lower) == (0.0, 0.0)


def test_an_entity_of_nobody_is_one_of_its_own() -> None:
    rng = np.random.default_rng(11)
    labels = (rng.random(ROWS) < 0.5).astype(np.float64)
    champion, challenger = right_with(0.8, labels, rng), right_with(0.85, labels, rng)
    known = contest(champion, challenger, labels)
    nobody = replace(known, entities=[None] * ROWS)
    assert judge(nobody, configuration()) == judge(known, configuration())
    everybody = replace(known, entities=["one"] * ROWS)
    assert not named(judge(everybody, configuration()))["better_than_champion"].passed


def test_rows_count_for_the_predictions_they_stand_for() -> None:
    rng = np.random.default_rng(12)
    labels = np.ones(2 * ROWS)
    heavy = np.arange(2 * ROWS) < ROWS
    champion = binary(np.where(heavy, 0.1, 0.9))
    challenger = right_with(0.5, labels, rng)
    plain = contest(champion, challenger, labels)
    weighted = replace(plain, weights=np.where(heavy, 20.0, 1.0))
    assert not named(judge(plain, configuration()))["better_than_champion"].passed
    checks = named(judge(weighted, configuration(gate={"floor": 0.4})))
    assert checks["better_than_champion"].passed
    right = challenger.decisions == 1.0
    assert checks["floor"].value == pytest.approx(np.average(right, weights=np.where(heavy, 20.0, 1.0)))


def test_weights_that_are_all_the_same_change_nothing() -> None:
    rng = np.random.default_rng(13)
    labels = (rng.random(ROWS) < 0.5).astype(np.float64)
    known = contest(right_with(0.8, labels, rng), right_with(0.9, labels, rng), labels)
    alike = named(judge(replace(known, weights=np.full(ROWS, 50.0)), configuration()))
    for name, check in named(judge(known, configuration())).items():
        assert alike[name].value == pytest.approx(check.value)


def test_a_first_version_that_is_no_better_than_the_trivial_answer_stays_out() -> None:
    rng = np.random.default_rng(14)
    passed = 0
    for _ in range(40):
        labels = (rng.random(ROWS) < 0.5).astype(np.float64)
        guess = right_with(0.5, labels, rng)
        passed += named(judge(contest(None, guess, labels), configuration()))["better_than_baseline"].passed
    assert passed <= 6


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
    assert "at 90% confidence worse by at least" in checks["slice hour=20"].detail
    assert {name: check.passed for name, check in checks.items() if name.startswith("slice")} == {
        "slice hour=20": False,
        "slice hour=8": True,
    }


@pytest.mark.parametrize(("rows", "lost", "passed"), [(100, 8, True), (300, 30, False), (300, 12, True)])
def test_a_slice_fails_for_a_drop_beyond_what_is_allowed_that_is_no_chance(rows: int, lost: int, passed: bool) -> None:
    labels = np.ones(2_000)
    places = np.arange(2_000)
    # Of the rows that differ in the slice, the challenger loses ``lost`` more than it gains.
    differ = 20
    champion = binary(np.where(places < differ, 0.1, 0.9))
    challenger = binary(np.where((places >= differ) & (places < 2 * differ + lost), 0.1, 0.9))
    part = np.where(places < rows, "few", "rest").astype(object)
    settings = configuration(monitoring={"slices": ["hour"]})
    checks = named(judge(contest(champion, challenger, labels, pd.DataFrame({"hour": part})), settings))
    found = checks["slice hour=few"]
    assert found.value == pytest.approx(lost / rows)
    assert found.passed is passed
    assert ("which chance explains" in found.detail) is (passed and lost / rows > 0.05)


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
        assert baseline_predictions(task, metric, counts, 3).measure(metric, labels) is not None, metric

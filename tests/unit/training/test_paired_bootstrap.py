"""The paired bootstrap: bounds, few rows, entities, weights and seeds."""

from dataclasses import replace

import numpy as np
import pytest

from hindsight.config.metrics import METRICS_BY_TASK, Metric, Task
from hindsight.training.gate.bootstrap import PairedPredictions, paired_difference
from hindsight.training.gate.gate import judge
from hindsight.training.models.scoring import Predictions
from tests.unit.training.contests import ROWS, binary, configuration, contest, named, right_with


@pytest.mark.parametrize("metric", sorted(METRICS_BY_TASK[Task.BINARY]))
def test_better_is_positive_with_a_lower_bound_for_any_metric(metric: Metric) -> None:
    rng = np.random.default_rng(2)
    labels = (rng.random(ROWS) < 0.5).astype(np.float64)
    good, bad = right_with(0.95, labels, rng), right_with(0.6, labels, rng)
    better = paired_difference(PairedPredictions(labels, bad, good), metric, 0.95, seed=1, resamples=60)
    worse = paired_difference(PairedPredictions(labels, good, bad), metric, 0.95, seed=1, resamples=60)
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
    better = paired_difference(PairedPredictions(labels, bad, good), metric, 0.95, seed=1, resamples=60)
    assert better is not None
    assert better.lower > 0


def test_rows_collapsed_into_cells_give_the_bound_that_the_rows_give() -> None:
    rng = np.random.default_rng(4)
    labels = (rng.random(ROWS) < 0.5).astype(np.float64)
    paired = PairedPredictions(labels, right_with(0.7, labels, rng), right_with(0.8, labels, rng))
    # For decisions turned into scores of 0 and 1 the Brier score is the share of errors, drawn row by row.
    as_scores = PairedPredictions(labels, binary(paired.champion.decisions), binary(paired.challenger.decisions))
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
        found = paired_difference(PairedPredictions(labels, worse, champion), Metric.ACCURACY, 0.95, seed=1)
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
    found = paired_difference(PairedPredictions(labels, champion, challenger), Metric.RMSE, 0.95, seed=1)
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
    alone = paired_difference(PairedPredictions(labels, champion, challenger), Metric.ACCURACY, 0.95, seed=1)
    together = paired_difference(
        PairedPredictions(labels, champion, challenger, None, entity), Metric.ACCURACY, 0.95, seed=1
    )
    assert alone is not None
    assert together is not None
    assert alone.estimate == together.estimate
    # Fifty rows that say the same are one: the bound lies the root of fifty further away, and more for so few.
    assert together.estimate - together.lower > 7 * (alone.estimate - alone.lower)


def test_a_difference_that_is_the_same_everywhere_needs_rows_enough_to_be_no_chance() -> None:
    for rows, proven in ((4, False), (5, True)):
        labels = np.ones(rows)
        paired = PairedPredictions(labels, binary(np.full(rows, 0.1)), binary(np.full(rows, 0.9)))
        found = paired_difference(paired, Metric.ACCURACY, 0.95, seed=1)
        assert (found is not None) is proven
        copy = paired_difference(replace(paired, challenger=paired.champion), Metric.ACCURACY, 0.95, seed=1)
        assert copy is not None
        assert (copy.estimate, copy.lower) == (0.0, 0.0)


def test_missing_entity_is_an_entity_of_its_own() -> None:
    rng = np.random.default_rng(11)
    labels = (rng.random(ROWS) < 0.5).astype(np.float64)
    champion, challenger = right_with(0.8, labels, rng), right_with(0.85, labels, rng)
    known = contest(champion, challenger, labels)
    without_entities = replace(known, entities=[None] * ROWS)
    assert judge(without_entities, configuration()) == judge(known, configuration())
    one_entity = replace(known, entities=["one"] * ROWS)
    assert not named(judge(one_entity, configuration()))["better_than_champion"].passed


def test_rows_count_for_the_predictions_they_stand_for() -> None:
    rng = np.random.default_rng(12)
    labels = np.ones(2 * ROWS)
    heavy = np.arange(2 * ROWS) < ROWS
    champion = binary(np.where(heavy, 0.1, 0.9))
    challenger = right_with(0.5, labels, rng)
    plain = contest(champion, challenger, labels)
    weighted = replace(plain, weights=np.where(heavy, 20.0, 1.0))
    assert not named(judge(plain, configuration()))["better_than_champion"].passed
    checks = named(judge(weighted, configuration(gate={"metric": "accuracy", "floor": 0.4})))
    assert checks["better_than_champion"].passed
    right = challenger.decisions == 1.0
    assert checks["floor"].value == pytest.approx(np.average(right, weights=np.where(heavy, 20.0, 1.0)))


def test_weights_that_are_all_the_same_change_nothing() -> None:
    rng = np.random.default_rng(13)
    labels = (rng.random(ROWS) < 0.5).astype(np.float64)
    known = contest(right_with(0.8, labels, rng), right_with(0.9, labels, rng), labels)
    settings = configuration(gate={"metric": "accuracy"})
    alike = named(judge(replace(known, weights=np.full(ROWS, 50.0)), settings))
    for name, check in named(judge(known, settings)).items():
        assert alike[name].value == pytest.approx(check.value)


def test_the_same_seed_gives_the_same_bound() -> None:
    rng = np.random.default_rng(5)
    labels = (rng.random(ROWS) < 0.5).astype(np.float64)
    paired = PairedPredictions(labels, right_with(0.7, labels, rng), right_with(0.8, labels, rng))
    assert paired_difference(paired, Metric.ROC_AUC, 0.95, seed=3, resamples=50) == paired_difference(
        paired, Metric.ROC_AUC, 0.95, seed=3, resamples=50
    )

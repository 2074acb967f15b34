"""The test of a version's live performance: what counts as a label, once, and on which scale."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from hindsight.config.metrics import Metric, Task
from hindsight.core.times import format_time
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.metrics import evaluate
from hindsight.evaluation.sequential.observation import Scale
from hindsight.evaluation.sequential.sequential_test import Claim, SequentialTest
from hindsight.label_records.rows import LabelRows
from hindsight.monitoring.performance.live_performance import performance_claim
from hindsight.testing.builders.label_rows import newest_records

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def claimed(metric: Metric, task: Task, limit: float) -> Claim:
    found = performance_claim("v1", metric, task, limit)
    assert found is not None
    return found


def begun(metric: Metric = Metric.ACCURACY, task: Task = Task.BINARY, limit: float = 0.85) -> SequentialTest:
    return SequentialTest.of(claimed(metric, task, limit), NOON, None)


def binary(rows: int, right: float, seed: int = 0) -> LabelledPredictions:
    rng = np.random.default_rng(seed)
    labels = (rng.random(rows) < 0.5).astype(np.float64)
    decisions = np.where(rng.random(rows) < right, labels, 1 - labels)
    scores = np.clip(decisions * 0.6 + rng.random(rows) * 0.4, 0, 1)
    return LabelledPredictions(Task.BINARY, labels, decisions, scores)


def record(due: datetime, known: datetime, seq: int = 1, value: int | None = 1) -> dict[str, Any]:
    return {
        "outcome_due_at": format_time(due),
        "known_at": format_time(known),
        "seq": seq,
        "prediction_id": "p",
        "value": value,
        "kind": "outcome",
    }


def newest(*records: dict[str, Any]) -> LabelRows:
    rows = newest_records(records)
    assert len(rows) == 1
    return rows


def is_new(rows: LabelRows, reached: datetime, until: datetime) -> bool:
    (came,) = rows.came_to_count(reached, until)
    return bool(came)


def test_labels_given_in_pieces_count_as_those_given_at_once() -> None:
    answers = binary(600, 0.8)
    at_once = begun().count_labels(answers, NOON + HOUR)
    in_pieces = begun()
    for piece in np.array_split(np.arange(600), 7):
        in_pieces = in_pieces.count_labels(answers.at(piece), NOON + HOUR)
    assert in_pieces.wealth.evidence == pytest.approx(float(at_once.wealth.evidence))
    assert in_pieces.rounds == at_once.rounds == 600


def test_evaluation_without_new_labels_changes_nothing() -> None:
    once = begun().count_labels(binary(900, 0.7), NOON + HOUR)
    assert once.is_significant(0.95)
    again = once.count_labels(binary(0, 0.7), NOON + 2 * HOUR)
    assert (again.rounds, again.evidence) == (once.rounds, once.evidence)


def test_new_version_or_limit_restarts_the_test() -> None:
    test = begun().count_labels(binary(900, 0.7), NOON + HOUR)
    assert SequentialTest.of(test.claim, NOON, test) is test
    for changed in ({"version": "v2"}, {"limit": 0.8}, {"null": 0.9}):
        other = SequentialTest.of(test.claim.replace(**changed), NOON, test)
        assert (other.rounds, other.updates) == (0, test.updates)


def test_stored_test_is_restored() -> None:
    heavy = replace(binary(101, 0.9), sample_weights=np.full(101, 2.0))
    test = begun(Metric.ROC_AUC, limit=0.7).count_labels(heavy, NOON + HOUR)
    assert SequentialTest.from_plain(test.to_plain()).to_plain() == test.to_plain()


def test_label_is_new_when_due_or_when_first_known_later() -> None:
    since, until = NOON, NOON + HOUR
    assert is_new(newest(record(NOON + HOUR / 2, NOON - HOUR)), since, until)
    assert is_new(newest(record(NOON - HOUR, NOON + HOUR / 2)), since, until)
    assert not is_new(newest(record(NOON, NOON - HOUR)), since, until)
    assert not is_new(newest(record(NOON + 2 * HOUR, NOON - HOUR)), since, until)


def test_label_after_censoring_counts_when_it_is_known() -> None:
    censored = record(NOON - HOUR, NOON - HOUR, value=None)
    assert not is_new(newest(censored), NOON - 2 * HOUR, NOON + HOUR)
    assert is_new(newest(censored, record(NOON - HOUR, NOON + HOUR / 2, seq=2)), NOON, NOON + HOUR)


def test_amended_label_and_label_of_unknown_beginning_do_not_count_again() -> None:
    first, amended = record(NOON - HOUR, NOON - HOUR), record(NOON - HOUR, NOON + HOUR / 2, seq=2)
    assert not is_new(newest(first, amended), NOON, NOON + HOUR)
    assert is_new(newest(first, amended), NOON - 2 * HOUR, NOON)
    assert not is_new(newest(amended), NOON, NOON + HOUR)


def test_each_label_is_new_to_exactly_one_evaluation_however_it_is_amended() -> None:
    looks = [NOON + hours * HOUR for hours in range(10)]
    rng = np.random.default_rng(1)
    for due, known, later in rng.uniform(0.001, 9, (200, 3)):
        records = [record(NOON + due * HOUR, NOON + known * HOUR)]
        records.append(record(NOON + due * HOUR, NOON + max(known, later) * HOUR, seq=2))
        found = 0
        for since, until in pairwise(looks):
            seen = [row for row in records if row["known_at"] <= format_time(until)]
            found += bool(seen) and is_new(newest(*seen), since, until)
        assert found == 1


def test_version_that_serves_again_starts_without_its_old_labels() -> None:
    first = begun().count_labels(binary(900, 0.7), NOON + HOUR)
    other = SequentialTest.of(first.claim.replace(version="v2"), NOON + 2 * HOUR, first)
    again = SequentialTest.of(first.claim, NOON + 3 * HOUR, other)
    assert (again.rounds, again.reached) == (0, NOON + 3 * HOUR)


def test_changed_limit_counts_no_label_twice() -> None:
    test = begun().count_labels(binary(900, 0.9), NOON + HOUR)
    other = SequentialTest.of(test.claim.replace(limit=0.8), NOON, test)
    assert (other.rounds, other.reached) == (0, NOON + HOUR)


def test_row_above_the_largest_weight_restarts_the_bet() -> None:
    test = begun().count_labels(binary(900, 0.7), NOON + HOUR)
    assert test.is_significant(0.95)
    heavy = test.count_labels(replace(binary(1, 1.0), sample_weights=np.array([40.0])), NOON + 2 * HOUR)
    assert (heavy.rounds, heavy.wealth.heaviest) == (1, 64.0)
    assert not heavy.is_significant(0.95)


@pytest.mark.parametrize("metric", [Metric.ACCURACY, Metric.PRECISION, Metric.RECALL, Metric.BRIER, Metric.LOG_LOSS])
def test_mean_of_the_observations_is_the_metric(metric: Metric) -> None:
    answers = binary(2_000, 0.85)
    value = evaluate(metric, Task.BINARY, answers.labels, answers.decisions, answers.scores)
    assert value is not None
    scale = Scale(metric, Task.BINARY, null=value, limit=value)
    mean = scale.observe(answers).values.mean()
    assert mean == pytest.approx(scale.hypothesis.null, abs=0.02)


@pytest.mark.parametrize("metric", [Metric.F1, Metric.BALANCED_ACCURACY, Metric.ROC_AUC])
def test_class_metrics_are_at_the_null_exactly_when_their_value_is(metric: Metric) -> None:
    answers = binary(20_000, 0.85)
    value = evaluate(metric, Task.BINARY, answers.labels, answers.decisions, answers.scores)
    assert value is not None
    for null in (value - 0.05, value, value + 0.05):
        scale = Scale(metric, Task.BINARY, null=null, limit=null)
        above = scale.observe(answers).values.mean() - scale.hypothesis.null
        assert above == pytest.approx(value - null, abs=0.03)
        if null != value:
            assert np.sign(above) == np.sign(value - null)


def test_test_that_an_earlier_release_stored_restarts_where_it_was() -> None:
    test = begun().count_labels(binary(900, 0.7), NOON + HOUR)
    other = SequentialTest.of(test.claim, NOON, test.replace(stakes=test.stakes[:4]))
    assert (other.rounds, other.reached, len(other.stakes)) == (0, NOON + HOUR, len(test.stakes))


@pytest.mark.parametrize(("metric", "limit"), [(Metric.MAE, 1.3), (Metric.RMSE, 1.6)])
def test_regression_with_doubled_error_is_low_and_unchanged_one_is_not(metric: Metric, limit: float) -> None:
    rng = np.random.default_rng(3)
    labels = rng.normal(size=3_000)
    for spread, falls in ((1.0, False), (2.5, True)):
        given = labels + rng.normal(size=3_000) * spread * 1.25
        answers = LabelledPredictions(Task.REGRESSION, labels, given, given)
        test = begun(metric, Task.REGRESSION, limit).count_labels(answers, NOON)
        assert test.is_significant(0.95) is falls


@pytest.mark.parametrize(
    ("metric", "task", "limit"),
    [
        (Metric.R2, Task.REGRESSION, 0.5),
        (Metric.F1, Task.MULTICLASS, 0.5),
        (Metric.ACCURACY, Task.BINARY, 0.0),
        (Metric.ACCURACY, Task.BINARY, 1.0),
        (Metric.MAE, Task.REGRESSION, 0.0),
    ],
)
def test_metric_without_single_label_values_has_no_test(metric: Metric, task: Task, limit: float) -> None:
    assert performance_claim("v1", metric, task, limit) is None

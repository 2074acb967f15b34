"""Rollouts of versions of which nothing is expected: what the champion is worth meanwhile says what is allowed."""

from collections.abc import Iterable
from datetime import timedelta

import numpy as np
import pytest

from hindsight.config.metrics import Metric
from hindsight.config.model import ModelConfiguration
from hindsight.evaluation.sequential.sequential_test import SequentialTest
from hindsight.registry.external_version import external_version
from hindsight.registry.pointer import RolloutMode
from hindsight.rollout.evaluation.evaluate import Evaluation, evaluate_rollout
from hindsight.rollout.evaluation.verdict import Outcome
from tests.unit.rollout.world import (
    DAY,
    HOUR,
    NEW,
    NOW,
    OLD,
    SINCE,
    Row,
    drawn,
    records,
    rules,
    seen,
    tried,
    with_shadow,
)

OURS = external_version(NEW, 1, SINCE)
METRICS = [Metric.ACCURACY, Metric.F1, Metric.ROC_AUC, Metric.LOG_LOSS]


def canary(rows: Iterable[Row], stored: SequentialTest | None = None, **known: object) -> Evaluation:
    pointer, rollout = tried()
    return evaluate_rollout(seen(rows, stored=stored, **known), pointer, rollout, OURS)  # type: ignore[arg-type]


def traffic(ours: float, count: int, first: int = 1, start: timedelta = timedelta(0)) -> list[Row]:
    given = {"start": SINCE + start, "first": first}
    return [*records(NEW, drawn(count, ours), **given), *records(OLD, drawn(9 * count, 0.88, seed=2), **given)]  # type: ignore[arg-type]


def evaluated(metric: Metric, ours: float, mode: RolloutMode) -> Evaluation:
    """Evaluate a rollout after a first day, and again after a second."""
    pointer, rollout = tried(mode)
    days = []
    for day in range(2):
        rows = traffic(ours, 400, first=1 + 10_000 * day, start=day * DAY)
        if mode is RolloutMode.SHADOW:
            champion = [row for row in rows if row["model_version"] == OLD]
            rows = with_shadow(champion, drawn(len(champion), ours, seed=5))
        days += [rows]
    of, stored = rules(gate={"metric": metric}, deployment={}), None
    for until, visible in ((SINCE + DAY + 6 * HOUR, days[0]), (NOW, [*days[0], *days[1]])):
        found = evaluate_rollout(seen(visible, until=until, of=of, stored=stored), pointer, rollout, OURS)
        stored = found.test
    return found


@pytest.mark.parametrize("mode", list(RolloutMode))
@pytest.mark.parametrize("metric", METRICS)
def test_version_as_good_as_the_champion_is_promoted(metric: Metric, mode: RolloutMode) -> None:
    found = evaluated(metric, 0.88, mode)
    assert found.verdict.outcome is Outcome.KEEP
    assert found.test is not None


@pytest.mark.parametrize("mode", list(RolloutMode))
@pytest.mark.parametrize("metric", METRICS)
def test_version_that_is_much_worse_is_aborted_significantly(metric: Metric, mode: RolloutMode) -> None:
    found = evaluated(metric, 0.5, mode)
    assert found.verdict.outcome is Outcome.ROLL_BACK
    assert found.verdict.reason.startswith("significantly worse")


def test_labels_that_give_the_expectation_are_not_bet_on() -> None:
    first = canary(traffic(0.2, 60), until=SINCE + 2 * DAY)
    assert first.test is not None
    assert (first.test.rounds, first.test.reached) == (0, SINCE + 2 * DAY)
    assert first.test.claim.scale.null == pytest.approx(np.mean(drawn(540, 0.88, seed=2)))
    again = canary([*traffic(0.2, 60), *traffic(0.2, 60, first=1000, start=DAY)], stored=first.test)
    assert again.test is not None
    assert again.test.claim == first.test.claim
    assert again.test.rounds == 60


def test_too_few_labels_of_the_champion_say_nothing_and_nothing_is_bet() -> None:
    found = canary(traffic(0.88, 20))
    assert found.test is None
    assert found.verdict.outcome is Outcome.WAIT
    assert found.verdict.reason.endswith("decided at 200 labels at the earliest")


def test_without_a_label_the_rollout_ends_undecided_at_its_deadline() -> None:
    assert canary([]).verdict.outcome is Outcome.WAIT
    found = canary([], now=SINCE + timedelta(days=14))
    assert found.verdict.outcome is Outcome.ROLL_BACK


def test_regression_by_explained_variance_is_bet_on_by_errors() -> None:
    of: ModelConfiguration = rules(
        task="regression", training={}, monitoring={}, deployment={}, gate={"metric": Metric.R2}
    )
    rng, pointer_rollout, stored, found = np.random.default_rng(1), tried(), None, []
    for spread in (1.0, 2.5):
        rows: list[Row] = []
        for day in range(2):
            for row in traffic(1.0, 300, first=1 + 10_000 * day, start=day * DAY):
                value, error = rng.normal(0, 2.236), spread if row["model_version"] == NEW else 1.0
                rows.append({**row, "value": value, "decision": value + rng.normal(0, error), "score": 0.5})
        for until in (SINCE + DAY + 6 * HOUR, NOW):
            visible = [row for row in rows if row["occurred_at"] < until.isoformat()]
            result = evaluate_rollout(seen(visible, until=until, of=of, stored=stored), *pointer_rollout, OURS)
            stored = result.test
        assert stored is not None
        found.append((result.verdict.outcome, stored.claim.scale.metric))
        stored = None
    assert found == [(Outcome.KEEP, Metric.RMSE), (Outcome.ROLL_BACK, Metric.RMSE)]

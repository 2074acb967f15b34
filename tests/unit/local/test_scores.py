from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from hindsight.config.metrics import Task
from hindsight.training.models.scoring import RowPrediction
from local.replay.replay import ReplayResult
from local.replay.scores import Scores, score, truth_of
from local.replay.stream import Row
from local.replay.summary import lost_labels, summarise
from tests.unit.local.files import START, configuration


class Always:
    """A version that says one thing."""

    def __init__(self, decision: Any) -> None:
        self.decision = decision

    def score(self, rows: Sequence[Any]) -> list[RowPrediction]:
        return [RowPrediction(0.5, self.decision) for _ in rows]


def row(position: int, outcome: Any, days: float = 0) -> Row:
    occurred = START + timedelta(days=days)
    return Row(f"row-{position}", {"x": 1.0}, occurred, outcome, occurred, None, None)


def result(outcomes: Sequence[Any], decisions: Sequence[Any], days: Sequence[float] | None = None) -> ReplayResult:
    rows = [row(position, outcome, (days or [0.0] * 99)[position]) for position, outcome in enumerate(outcomes)]
    made = {row.prediction_id: RowPrediction(0.5, decision) for row, decision in zip(rows, decisions, strict=True)}
    return ReplayResult(rows, replayed=rows, answers=made)


def truths(replayed: ReplayResult) -> dict[str, Any]:
    return {row.prediction_id: row.outcome for row in replayed.rows}


def scores_of(replayed: ReplayResult, first: Any, task: Task = Task.BINARY, **changes: Any) -> Scores:
    if task is Task.BINARY:
        changes = {"monitoring": {"performance": {"metric": "accuracy"}}, **changes}
    return score(replayed, truths(replayed), Always(first), configuration(task=task, **changes))  # type: ignore[arg-type]


def test_each_month_has_a_score_of_its_own() -> None:
    replayed = result([1, 0, 1, 1], [1, 1, 1, 1], [0, 1, 30, 31])
    scores = scores_of(replayed, 0)
    assert scores.live == {"2026-01": 0.5, "2026-02": 1.0}
    assert scores.static == {"2026-01": 0.5, "2026-02": 0.0}


def test_last_outcome_predicts_the_next_row_across_gaps() -> None:
    scores = scores_of(result([1, None, 1, 0], [1, 1, 1, 1]), 1)
    assert scores.persistence == {"2026-01": 0.5}
    assert scores.live == {"2026-01": pytest.approx(2 / 3)}


def test_regression_is_scored_by_its_absolute_error() -> None:
    scores = scores_of(result([1.0, 3.0], [2.0, 3.5]), 0.0, Task.REGRESSION)
    assert (scores.live, scores.static, scores.persistence) == ({"2026-01": 0.75}, {"2026-01": 2.0}, {"2026-01": 2.0})


def test_replay_is_scored_by_the_monitored_metric_and_leaves_out_months_without_it() -> None:
    replayed = result([1, 0, 1, 1], [1, 1, 1, 1], [0, 1, 2, 31])
    replayed.answers["row-0"] = RowPrediction(0.9, 1)
    scores = scores_of(replayed, 0, monitoring={"performance": {"metric": "roc_auc"}})
    assert (scores.metric, scores.live, scores.static) == ("roc_auc", {"2026-01": 0.75}, {"2026-01": 0.5})


def test_replay_without_a_promoted_version_has_no_static_score() -> None:
    replayed = result([1, 0], [1, 1])
    assert score(replayed, truths(replayed), None, configuration()).static == {}


def test_decisions_agree_by_their_text() -> None:
    assert scores_of(result([True, "a", 2], [True, "a", 2.0]), "b", Task.MULTICLASS).live == {"2026-01": 1.0}


def test_a_replay_without_outcomes_has_no_scores() -> None:
    scores = scores_of(result([None], [1]), 1)
    assert (scores.live, scores.static, scores.persistence) == ({}, {}, {})


def test_expected_label_follows_the_rule_for_an_outcome() -> None:
    rule = {"event": "demand", "kind": "outcome", "window": "P1D", "positive": {"greater_than": 100}}
    configured = configuration(labels={"rules": [rule]})
    assert [truth_of(row(0, value), configured, "demand") for value in (150, 50, None)] == [1, 0, None]


@pytest.mark.parametrize(("requires_exposure", "truth"), [(False, 0), (True, None)])
def test_expected_label_without_an_outcome_is_the_default_that_holds_for_every_prediction(
    requires_exposure: bool, truth: int | None
) -> None:
    default = {"value": False, "after": "P2D", "requires_exposure": requires_exposure}
    configured = configuration(labels={"rules": [{"event": "demand", "window": "P1D"}], "default": default})
    assert truth_of(row(0, None), configured, "demand") == truth


def test_a_label_is_lost_if_it_is_missing_or_came_out_wrong() -> None:
    replayed = result([1, 1, 1, True, 0], [0] * 5)
    replayed.outcomes_sent = {"row-0", "row-1", "row-2", "row-3"}
    replayed.labels = {"row-0": 1.0, "row-1": 0, "row-3": True}
    assert lost_labels(replayed, truths(replayed)) == ["row-1", "row-2"]


def active(*kinds: str) -> list[dict[str, Any]]:
    return [{"kind": kind, "active": kind in kinds} for kind in ("first_version", "schedule", "drift", "manual")]


def test_summary_counts_decisions_and_takes_the_worst_month() -> None:
    replayed = result([1, 0, 1, 1], [1, 1, 1, 1], [0, 1, 30, 31])
    decisions = [
        {"triggered": True, "outcome": "promoted", "signals": active("first_version")},
        {"triggered": True, "outcome": "rejected", "signals": active("schedule")},
        {"triggered": True, "signals": active("schedule", "drift")},
        {"triggered": False, "signals": []},
    ]
    summary = summarise(replayed, truths(replayed), scores_of(replayed, 1), decisions)
    assert (summary["promotions"], summary["rejections"], summary["blocked"]) == (1, 1, 1)
    assert summary["started_by"] == {"first_version": 1, "schedule": 1, "drift, schedule": 1}
    assert (summary["live_mean"], summary["live_min"], summary["predictions"], summary["lost"]) == (0.75, 0.5, 4, 0)


def test_the_worst_month_of_a_regression_is_the_one_with_the_largest_error() -> None:
    replayed = result([1.0, 1.0], [1.0, 4.0], [0, 30])
    summary = summarise(replayed, truths(replayed), scores_of(replayed, 1.0, Task.REGRESSION), [])
    assert (summary["live_min"], summary["static_min"]) == (3.0, 0.0)

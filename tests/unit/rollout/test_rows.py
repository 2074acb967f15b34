"""Labels that count for a version, and for two versions without favour."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.config.metrics import Metric, Task
from hindsight.evaluation.matured_labels import read_matured
from hindsight.evaluation.sequential.observation import scale_of
from hindsight.evaluation.sequential.sequential_test import WaitingLabels
from hindsight.rollout.evaluation.comparison import compare, compare_paired, difference_hypothesis, reverse_hypothesis
from hindsight.rollout.evaluation.rows import evenly_sampled, first_of_entities, matured_since
from tests.unit.rollout.world import DAY, HOUR, NEW, NOW, SINCE, Row, drawn, records, rules, seen

REVIEWED = rules(labels={"rules": [{"event": "annotation", "kind": "manual"}]}, review={"random_rate": 0.1})


def reviewed(count: int, probability: float, first: int = 1) -> list[Row]:
    return records(NEW, [True] * count, first=first, kind="manual", selection_probability=probability)


def test_rows_count_in_the_order_in_which_they_matured_and_not_before_they_are_all_in() -> None:
    sight = seen(records(NEW, [True] * 24), until=NOW)
    until = SINCE + DAY + 12 * HOUR
    rows = matured_since(sight.labels, SINCE, until)
    assert len(rows) == 12
    assert [row["outcome_due_at"] for row in rows] == sorted(row["outcome_due_at"] for row in rows)
    assert matured_since(reversed(sight.labels), SINCE, until) == rows


def test_of_reviewed_rows_as_many_are_kept_as_the_audit_would_have_picked() -> None:
    """A certain pick is kept as rarely as the audit picks, one of the audit's always: both were then picked evenly."""
    rows = [*reviewed(2000, 1.0), *reviewed(2000, 0.1, first=5000)]
    kept = Counter(row["selection_probability"] for row in evenly_sampled(rows, REVIEWED))
    assert kept[0.1] == 2000
    assert kept[1.0] == pytest.approx(200, abs=50)
    assert evenly_sampled(rows, REVIEWED) == evenly_sampled(rows, REVIEWED)


def test_rows_that_have_labels_anyway_are_all_kept() -> None:
    outcomes = records(NEW, [True] * 100)
    otherwise = [{**row, "labelled_without_review": True} for row in reviewed(100, 1.0, first=1000)]
    rows = [*outcomes, *otherwise]
    assert evenly_sampled(rows, REVIEWED) == rows
    every = rules(labels={"rules": [{"event": "a", "kind": "manual"}], "default": {"value": 0, "after": "P1D"}})
    certain = reviewed(100, 1.0)
    assert evenly_sampled(certain, every) == certain


def test_each_entity_is_its_first_row() -> None:
    rows = [{"entity_id": entity, "place": place} for place, entity in enumerate(["a", None, "b", "a", None, "b"])]
    assert [row["place"] for row in first_of_entities(rows)] == [0, 1, 2, 4]


@given(st.lists(st.integers(0, 120), max_size=8), st.integers(1, 9))
def test_every_value_of_the_shorter_side_is_bet_on_once_for_any_cut_into_looks(cuts: list[int], beside: int) -> None:
    scale = scale_of(Metric.ACCURACY, Task.BINARY, null=0.8, limit=0.75)
    assert scale is not None
    ours, others = (read_matured(records(NEW, drawn(count, 0.8)), rules()).predictions for count in (120, 120 * beside))
    waiting, values = WaitingLabels(), []
    places = [0, *sorted(cuts), 120]
    for start, end in pairwise(places):
        found = compare(
            scale,
            ours.at(np.arange(start, end)),
            others.at(np.arange(start * beside, end * beside)),
            waiting,
        )
        waiting = found.waiting
        values.extend(found.values.tolist())
    assert len(values) == 120
    assert all(0 <= value <= 1 for value in values)
    # Equal on the whole: the mean difference of the two sides is that of the values.
    hits = [float((side.labels == side.decisions).mean()) for side in (ours, others)]
    assert 2 * np.mean(values) - 1 == pytest.approx(hits[0] - hits[1])


def test_a_side_without_labels_waits_for_the_other() -> None:
    scale = scale_of(Metric.ACCURACY, Task.BINARY, null=0.8, limit=0.75)
    assert scale is not None
    some = read_matured(records(NEW, [True, False, True]), rules()).predictions
    none = some.at(np.array([], dtype=int))
    found = compare(scale, some, none, WaitingLabels())
    assert (len(found.values), len(found.reverse), found.waiting.values) == (0, 0, ((1.0, 0.0, 1.0), ()))
    found = compare(scale, none, some, found.waiting)
    assert (found.values.tolist(), found.waiting.values) == ([0.5, 0.5, 0.5], ((), ()))


def test_stakes_of_a_difference_break_even_where_it_is_all_that_is_allowed() -> None:
    scale = scale_of(Metric.ACCURACY, Task.BINARY, null=0.8, limit=0.7)
    assert scale is not None
    hypothesis = difference_hypothesis(scale)
    assert (hypothesis.null, hypothesis.limit) == pytest.approx((0.5, 0.45))


METRICS = [Metric.ACCURACY, Metric.PRECISION, Metric.RECALL, Metric.F1, Metric.BRIER, Metric.LOG_LOSS]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("is_paired", [True, False])
def test_reverse_values_are_at_their_null_where_the_version_is_worse_by_all_that_is_allowed(
    metric: Metric, is_paired: bool
) -> None:
    rows = records(NEW, drawn(4_000, 0.9, seed=7))
    champion, version = (
        read_matured(rights, rules()).predictions for rights in (rows, records(NEW, drawn(4_000, 0.8, seed=8)))
    )
    best, worst = champion.measure(metric), version.measure(metric)
    assert best is not None
    assert worst is not None
    scale = scale_of(metric, Task.BINARY, null=best, limit=worst)
    assert scale is not None
    versus = compare_paired if is_paired else compare
    at_the_limit, alike = (versus(scale, side, champion, WaitingLabels()) for side in (version, champion))
    null = reverse_hypothesis(scale).null
    # Blocks of a side with fewer values do not all have one length.
    assert at_the_limit.reverse.mean() == pytest.approx(null, abs=1e-9 if is_paired else 2e-3)
    assert alike.reverse.mean() < null - 0.01 * (1 if metric.is_share else 0.1)
    for found in (at_the_limit, alike):
        assert 0 <= found.reverse.min() <= found.reverse.max() <= 1

"""Tests that run over samples of labels: each label is bet on once, at a share that only falls."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.core.times import format_time
from hindsight.evaluation.sequential.sequential_test import SequentialTest
from hindsight.label_records.rows import LabelRows
from hindsight.label_records.sampling import WHOLE
from hindsight.monitoring.performance.live_performance import DegradationMonitor
from hindsight.monitoring.results.monitored_version import MonitoredVersion
from hindsight.registry.pointer import RolloutMode
from hindsight.rollout.evaluation.evaluate import EvaluationInput, evaluate_probation, evaluate_rollout
from hindsight.testing.builders.label_rows import newest_records
from hindsight.testing.models.sequential_tests import InMemorySequentialTests
from tests.unit.rollout.world import (
    DAY,
    HOUR,
    NEW,
    OLD,
    SINCE,
    Row,
    drawn,
    on_probation,
    records,
    rules,
    tried,
    version,
    with_shadow,
)

SHARES = st.sampled_from([1.0, 0.5, 0.25])
LIMITS = rules(monitoring={"performance": {"metric": "accuracy", "max_drop": 0.05}})
MOMENTS = [SINCE + DAY + hours * HOUR for hours in (6, 12, 18, 24)]


def visible(rows: Sequence[Row], until: datetime) -> LabelRows:
    return newest_records([row for row in rows if row["known_at"] <= format_time(until)])


def given_at(rows: Sequence[Row], until: datetime, share: float, stored: SequentialTest | None) -> EvaluationInput:
    return EvaluationInput(
        configuration=rules(),
        labels=visible(rows, until),
        until=until,
        now=until,
        stored=stored,
        sampled_share=share,
    )


def probation(rows: Sequence[Row], shares: Sequence[float]) -> SequentialTest:
    test = None
    for until, share in zip(MOMENTS, shares, strict=True):
        test = evaluate_probation(given_at(rows, until, share, test), on_probation(), _probation(), version(NEW)).test
    assert test is not None
    return test


def _probation() -> Any:
    return on_probation().probation


def counted_at(rows: Sequence[Row], shares: Sequence[float]) -> int:
    """Count by hand: of each time those that are kept at the smallest share there has been."""
    found, before, smallest = 0, SINCE, WHOLE
    for until, share in zip(MOMENTS, shares, strict=True):
        smallest = min(smallest, share)
        kept = visible(rows, until).sampled(smallest)
        found += int(kept.came_to_count(before, until).sum())
        before = until
    return found


@settings(max_examples=10)
@given(st.lists(SHARES, min_size=4, max_size=4))
def test_probation_bets_on_each_label_once_that_is_kept_at_the_smallest_share_so_far(shares: list[float]) -> None:
    rows = records(NEW, drawn(300, 0.88))
    test = probation(rows, shares)
    assert test.rounds == counted_at(rows, shares)
    assert test.sampled_share == min(shares)


@settings(max_examples=10)
@given(st.lists(SHARES, min_size=4, max_size=4))
def test_performance_test_bets_on_each_label_once_that_is_kept_at_the_smallest_share_so_far(
    shares: list[float],
) -> None:
    rows, monitor = records(NEW, drawn(300, 0.88)), DegradationMonitor(InMemorySequentialTests())
    champion = MonitoredVersion(version=NEW, since=SINCE, gate_value=0.9)
    test: SequentialTest | None = None
    for until, share in zip(MOMENTS, shares, strict=True):
        test = monitor.update(LIMITS, champion, visible(rows, until), until, sampled_share=share)
    assert test is not None
    assert test.rounds == counted_at(rows, shares)
    assert test.sampled_share == min(shares)


@pytest.mark.parametrize("share", [0.5, 0.25])
def test_evaluations_with_a_larger_sample_bet_on_the_values_of_one_with_a_smaller_sample(share: float) -> None:
    rows = records(NEW, drawn(300, 0.88))
    narrow = probation(rows, [share] * 4)
    assert probation(rows, [share, 1.0, 1.0, 1.0]).to_plain() == narrow.replace(updates=0).to_plain()
    assert narrow.rounds < 300


def test_probation_that_was_never_sampled_counts_every_label() -> None:
    rows = records(NEW, drawn(300, 0.88))
    assert probation(rows, [1.0] * 4).rounds == 300


def test_canary_bets_on_an_entity_once_however_the_share_falls() -> None:
    """By predictions, the first record that is left of an entity would be another one than was counted."""
    rows = [
        {**row, "entity_id": f"customer-{of}-{place % 60}"}
        for of in (NEW, OLD)
        for place, row in enumerate(records(of, drawn(600, 0.88)))
    ]
    pointer, rollout = tried(share=0.5)
    whole = visible(rows, MOMENTS[-1])
    test: SequentialTest | None = None
    for until, share in zip(MOMENTS, (1.0, 0.5, 0.25, 1.0), strict=True):
        test = evaluate_rollout(given_at(rows, until, share, test), pointer, rollout, version(NEW)).test
    assert test is not None
    assert len(set(whole.entities.hashes.tolist())) == 120
    assert test.rounds == 60  # each customer of the shorter side has come to count by the first evaluation


def test_shadow_is_judged_by_the_sampled_predictions() -> None:
    rows = with_shadow(records(OLD, drawn(400, 0.88)), drawn(400, 0.88, seed=2))
    pointer, rollout = tried(RolloutMode.SHADOW)
    found = evaluate_rollout(given_at(rows, MOMENTS[-1], 0.25, None), pointer, rollout, version(NEW))
    kept = visible(rows, MOMENTS[-1]).sampled(0.25)
    assert found.measured.labels == len(kept)
    assert found.test is not None
    assert (found.test.rounds, found.summary()["sampled_share"]) == (len(kept), 0.25)


def test_sampled_share_survives_storage_of_a_test() -> None:
    test = probation(records(NEW, drawn(300, 0.88)), [0.5] * 4)
    assert SequentialTest.from_plain(test.to_plain()).sampled_share == 0.5
    assert test.replace(sampled_share=WHOLE).narrowed(0.25).narrowed(0.5).sampled_share == 0.25


def test_second_evaluation_of_the_same_moment_counts_no_label_again() -> None:
    rows = records(NEW, drawn(300, 0.88))
    first = evaluate_probation(given_at(rows, MOMENTS[0], 0.5, None), on_probation(), _probation(), version(NEW)).test
    again = evaluate_probation(given_at(rows, MOMENTS[0], 1.0, first), on_probation(), _probation(), version(NEW)).test
    assert first is not None
    assert again is not None
    assert again.rounds == first.rounds

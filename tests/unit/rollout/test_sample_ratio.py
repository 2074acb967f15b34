"""The share that a canary answers against the share asked for: how often it errs, and what a mismatch stops."""

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from hindsight.evaluation.sequential.sequential_test import SequentialTest
from hindsight.registry.pointer import RolloutMode
from hindsight.rollout.evaluation.evaluate import evaluate_rollout
from hindsight.rollout.evaluation.sample_ratio import LEVEL, SampleRatio, log_evidence, sample_ratio
from hindsight.rollout.evaluation.verdict import Outcome
from tests.event_schemas import require_promised
from tests.unit.rollout.evaluations import World
from tests.unit.rollout.world import (
    DAY,
    HOUR,
    MODEL,
    NEW,
    NOW,
    OLD,
    SINCE,
    Row,
    drawn,
    put,
    records,
    seen,
    tried,
    version,
)


def traffic(ours: float, ours_count: int, others_count: int) -> list[Row]:
    return [*records(NEW, drawn(ours_count, ours)), *records(OLD, drawn(others_count, 0.88, seed=2))]


@settings(deadline=None)
@given(entities=st.integers(0, 400), asked=st.floats(0.01, 0.99))
def test_evidence_against_the_share_that_is_true_is_one_in_expectation(entities: int, asked: float) -> None:
    answered = np.arange(entities + 1)
    evidence = np.array([log_evidence(int(count), entities, asked) for count in answered])
    expected = np.exp(binom.logpmf(answered, entities, asked) + evidence).sum()
    assert float(expected) == pytest.approx(1, abs=1e-6)


@settings(deadline=None)
@given(answered=st.integers(0, 200), others=st.integers(0, 200), asked=st.floats(0.01, 0.99))
def test_evidence_does_not_depend_on_which_side_is_counted(answered: int, others: int, asked: float) -> None:
    mirrored = log_evidence(others, answered + others, 1 - asked)
    assert log_evidence(answered, answered + others, asked) == pytest.approx(mirrored, abs=1e-6)


@pytest.mark.parametrize("asked", [0.02, 0.1, 0.5])
def test_looking_after_every_entity_keeps_the_false_alarm_rate(asked: float) -> None:
    runs, entities, level = 400, 2_000, 0.05
    answered = (np.random.default_rng(7).random((runs, entities)) < asked).cumsum(axis=1)
    lgamma = np.vectorize(math.lgamma)
    counts, ours, others = np.arange(1, entities + 1), 100 * asked, 100 * (1 - asked)
    drawn_ = lgamma(ours + answered) + lgamma(others + counts - answered) - lgamma(100.0 + counts)
    drawn_ -= math.lgamma(ours) + math.lgamma(others) - math.lgamma(100.0)
    found = drawn_ - answered * math.log(asked) - (counts - answered) * math.log1p(-asked)
    assert found[3, -1] == pytest.approx(log_evidence(int(answered[3, -1]), entities, asked))
    assert (found.max(axis=1) >= math.log(1 / level)).mean() <= level


def test_half_of_the_share_is_found_within_a_thousand_entities() -> None:
    assert SampleRatio(answered=50, entities=1000, asked=0.1).is_mismatch
    assert SampleRatio(answered=0, entities=200, asked=0.1).is_mismatch
    assert not SampleRatio(answered=100, entities=1000, asked=0.1).is_mismatch
    assert not SampleRatio(answered=0, entities=0, asked=0.1).is_mismatch


def test_evidence_of_millions_of_entities_is_a_number() -> None:
    assert math.isfinite(SampleRatio(answered=0, entities=10_000_000, asked=0.5).evidence)


def test_entity_counts_once_for_the_version_that_answered_it_first() -> None:
    pointer, rollout = tried()
    rows = [
        {**row, "entity_id": f"customer-{place % 40}"}
        for place, row in enumerate([*records(NEW, [True] * 20), *records(OLD, [True] * 200)])
    ]
    for place, row in enumerate(rows):
        row["occurred_at"] = f"2026-03-01T12:{place // 60:02d}:{place % 60:02d}Z"
    found = sample_ratio(seen(rows).entities, rollout, pointer.champion)
    assert found is not None
    assert (found.answered, found.entities) == (20, 40)


def test_prediction_of_the_first_minute_and_of_other_versions_are_not_counted() -> None:
    pointer, rollout = tried()
    first = records(OLD, [True] * 50, SINCE + timedelta(seconds=1), 0)
    rows = [*records(NEW, [True] * 5), *records("v3", [True] * 9), *records(OLD, [True] * 45, first=100), *first]
    found = sample_ratio(seen(rows).entities, rollout, pointer.champion)
    assert found is not None
    assert (found.answered, found.entities) == (5, 50)


def test_prediction_that_is_due_counts_without_a_label() -> None:
    pointer, rollout = tried()
    unlabelled = [{**row, "value": None, "status": "censored"} for row in records(OLD, [True] * 90)]
    given_ = seen([*records(NEW, [True] * 10), *unlabelled])
    found = evaluate_rollout(given_, pointer, rollout, version(NEW))
    assert found.ratio is not None
    assert (found.ratio.answered, found.ratio.entities) == (10, 100)


def test_shadow_has_no_share() -> None:
    pointer, rollout = tried(RolloutMode.SHADOW)
    assert sample_ratio(seen(records(OLD, [True] * 90)).entities, rollout, pointer.champion) is None


@pytest.mark.parametrize("ours", [0.4, 0.88, 1.0])
def test_canary_with_another_share_is_neither_promoted_nor_aborted(ours: float) -> None:
    pointer, rollout = tried()
    found = evaluate_rollout(seen(traffic(ours, 600, 2250)), pointer, rollout, version(NEW))
    assert found.verdict.outcome is Outcome.SAMPLE_RATIO_MISMATCH
    assert found.verdict.reason.startswith(
        "nothing is decided: the version answered 600 of 2849 entities, 21.1%, where 10.0% is asked for"
    )
    assert found.summary()["sample_ratio"]["is_mismatch"]


def test_labels_of_a_mismatch_are_not_bet_on_once_the_share_is_right_again() -> None:
    pointer, rollout = tried()
    wrong = traffic(0.2, 120, 200)
    stopped = evaluate_rollout(seen(wrong, until=SINCE + 2 * DAY), pointer, rollout, version(NEW))
    assert stopped.verdict.outcome is Outcome.SAMPLE_RATIO_MISMATCH
    later = [
        *records(NEW, drawn(2500, 0.88), SINCE + 1.5 * DAY, 6, first=1000),
        *records(OLD, drawn(23_500, 0.88, seed=3), SINCE + 1.5 * DAY, 6, first=1000),
    ]
    given_ = seen([*wrong, *later], stored=stopped.test)
    found = evaluate_rollout(given_, pointer, rollout, version(NEW))
    assert found.ratio is not None
    assert not found.ratio.is_mismatch
    assert isinstance(found.test, SequentialTest)
    assert found.test.rounds == 2500
    assert found.evidence is not None
    assert found.evidence < 20


def test_mismatch_at_the_deadline_ends_as_a_rollout_without_a_decision_does() -> None:
    pointer, rollout = tried()
    late = SINCE + timedelta(days=14)
    found = evaluate_rollout(seen(traffic(1.0, 600, 2250), until=late), pointer, rollout, version(NEW))
    assert found.verdict.outcome is Outcome.ROLL_BACK
    assert found.verdict.reason.startswith("its time is over without a decision: the version answered 600 of 2849")


def test_mismatch_is_announced_once_and_moves_nothing() -> None:
    world = World().try_out()
    put(world.lake, traffic(0.4, 600, 2250))
    before = world.pointer
    (found,) = world.evaluate()
    world.evaluate(NOW + HOUR)
    assert found["verdict"] == "sample_ratio_mismatch"
    assert world.pointer == before
    (announced,) = (event for event in world.bus.published if event.name == "SampleRatioMismatch")
    require_promised("SampleRatioMismatch", announced.detail())
    assert announced.data["version"] == NEW
    assert world.evaluations.evaluations(MODEL)["rollout"]["sample_ratio"]["found"] == pytest.approx(600 / 2849)
    assert LEVEL == 0.001

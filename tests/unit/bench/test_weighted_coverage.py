"""The benchmark in small: what it says of many streams must hold for a few, and fail without weights."""

from bench.review_stream import ReviewStream
from bench.weighted_coverage import SETTINGS, Setting, measure, simulate
from hindsight.review.selection.sample import SampleReason

SMALL = Setting(name="small", rows_per_day=400, days=4, uncertain_per_day=25, random_rate=0.03)


def test_weighted_estimates_on_reviewed_rows_cover_and_unweighted_ones_do_not() -> None:
    found = measure(runs=60, first_seed=1, settings=[SMALL])
    assert found["weighted_coverage"] >= 0.93
    assert abs(found["weighted_bias"]) < 0.015
    assert found["unweighted_coverage"] < 0.7
    assert found["unweighted_bias"] < -0.05


def test_a_stream_is_reviewed_within_its_budget_for_both_reasons() -> None:
    batches, right = simulate(SMALL, 7)
    sampled = ReviewStream(SMALL.configuration).sample(batches)
    reasons = [sample.reason for sample in sampled]
    assert 0 < reasons.count(SampleReason.UNCERTAIN) <= SMALL.uncertain_per_day * SMALL.days
    assert reasons.count(SampleReason.AUDIT) > 20
    assert len({sample.key for sample in sampled}) == len(sampled)
    assert len(right) == SMALL.rows_per_day * SMALL.days == sum(map(len, batches))


def test_the_same_seed_is_the_same_run() -> None:
    assert simulate(SETTINGS[0], 3) == simulate(SETTINGS[0], 3)

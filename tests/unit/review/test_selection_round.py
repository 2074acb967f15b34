import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.config.model import ModelConfiguration
from hindsight.entities.prediction import Prediction
from hindsight.review.selection.sample import SampleReason
from hindsight.review.selection.sampling import hash_uniform
from hindsight.review.selection.selection_round import Batch, SampledPredictions, run_round
from hindsight.review.selection.state import SelectionState
from tests.unit.review.streams import MIDNIGHT, MODEL, configuration, prediction, predictions

NEW = SelectionState(model=MODEL)


def selected(
    batch: Sequence[Prediction], rules: ModelConfiguration, state: SelectionState = NEW, name: str = "batch"
) -> tuple[SampledPredictions, SelectionState]:
    return run_round(Batch(name, batch), rules, state)


def test_nothing_known_of_the_day_the_whole_budget_may_go_at_once() -> None:
    sampled, state = selected(predictions(300), configuration())
    assert len(sampled) == 20
    assert state.days[0].sampled == 20
    assert {sample.reason for sample in sampled} == {SampleReason.UNCERTAIN}


def test_every_row_comes_as_often_as_its_selection_probability_says() -> None:
    rows, rules = predictions(60), configuration(random_rate=0.1, diversity=0.5)
    draws = 3000
    counts, chances = Counter[str](), {}
    for number in range(draws):
        # The audit is the ids' doing, and so the same every time: only active learning's dice are thrown again.
        sampled, _ = selected(rows, rules, name=f"batch-{number}")
        for sample in sampled:
            counts[sample.key.prediction_id] += 1
            chances[sample.key.prediction_id] = sample.selection_probability
    audited = {row.prediction_id for row in rows if hash_uniform("audit", MODEL, row.prediction_id) < 0.1}
    assert all(counts[name] == draws for name in audited)
    inclusion = {name: 1 - (1 - chance) / 0.9 for name, chance in chances.items()}
    assert sum(inclusion.values()) == pytest.approx(20)
    for name in chances.keys() - audited:
        assert counts[name] / draws == pytest.approx(inclusion[name], abs=0.04)


def test_uncertain_predictions_are_sampled_more_often_and_certain_ones_sometimes() -> None:
    unsure = [prediction(f"u-{number}", score=0.5) for number in range(50)]
    sure = [prediction(f"s-{number}", score=1.0) for number in range(50)]
    sampled, _ = selected([*unsure, *sure], configuration(uncertain_per_day=10, diversity=0))
    assert sum(sample.key.prediction_id.startswith("u") for sample in sampled) >= 9
    everything, _ = selected([*unsure, *sure], configuration(uncertain_per_day=100, diversity=0))
    assert len(everything) == 100


def test_a_row_drawn_by_both_is_an_audit_row_and_leaves_the_budget_alone() -> None:
    sampled, state = selected(predictions(10), configuration(random_rate=1.0))
    assert {sample.reason for sample in sampled} == {SampleReason.AUDIT}
    assert {sample.selection_probability for sample in sampled} == {1.0}
    assert state.days[0].sampled == 0


def test_the_audit_share_is_the_rate() -> None:
    rows = predictions(4000)
    state, audited = NEW, 0
    for start in range(0, 4000, 500):
        sampled, state = selected(
            rows[start : start + 500], configuration(random_rate=0.05, uncertain_per_day=1), state
        )
        audited += sum(sample.reason is SampleReason.AUDIT for sample in sampled)
    assert audited / 4000 == pytest.approx(0.05, abs=0.014)


def test_the_order_in_which_rows_come_decides_nothing() -> None:
    rows, rules = predictions(200), configuration(random_rate=0.05)
    shuffled = random.Random(1).sample(rows, len(rows))
    assert selected(rows, rules) == selected(shuffled, rules)


def test_near_duplicates_do_not_fill_the_queue() -> None:
    original = prediction("original", score=0.5)
    copies = [
        original.replace(prediction_id=f"copy-{number}", features={**original.features, "temperature": 0.5})
        for number in range(300)
    ]
    others = [prediction(f"other-{number}", score=0.5) for number in range(100)]
    shares = []
    for diversity in (0.0, 0.5, 1.0):
        sampled, _ = selected([*copies, *others], configuration(uncertain_per_day=40, diversity=diversity))
        shares.append(fmean(sample.key.prediction_id.startswith("copy") for sample in sampled))
    assert shares[0] == pytest.approx(0.75, abs=0.03)
    assert shares[1] < 0.5
    assert shares[2] < 0.15


def test_near_duplicates_that_come_one_by_one_do_not_either() -> None:
    counts = {}
    for diversity in (0.0, 1.0):
        rules = configuration(uncertain_per_day=60, diversity=diversity)
        state, counted = evenly_spread_day(rules), Counter[str]()
        for number in range(1200):
            kind = "copy" if number % 4 else "other"
            name = f"{kind}-{number}"
            row = prediction(name, 24 + number / 50, score=0.5)
            if kind == "copy":
                row = row.replace(features=prediction("original").features)
            sampled, state = selected([row], rules, state, name)
            counted.update(sample.key.prediction_id.split("-")[0] for sample in sampled)
        counts[diversity] = counted["copy"] / counted.total()
    assert counts[0.0] > 0.6
    assert counts[1.0] < 0.35


def evenly_spread_day(rules: ModelConfiguration) -> SelectionState:
    """The state after a day of 1,200 rows."""
    state = NEW
    for number in range(24):
        rows = predictions(50, number, f"before-{number}")
        _, state = selected(rows, rules, state, f"before-{number}")
    return state


def test_a_second_day_s_budget_is_spread_over_the_day_and_spent() -> None:
    rules = configuration(uncertain_per_day=48)
    state, spent = evenly_spread_day(rules), []
    for hour in range(24):
        before = 0 if hour == 0 else state.days[-1].sampled
        _, state = selected(predictions(50, 24 + hour, f"day-{hour}"), rules, state, f"day-{hour}")
        spent.append(state.days[-1].sampled - before)
    assert sum(spent) == 48
    assert max(spent) <= 5
    assert sum(spent[:12]) == pytest.approx(24, abs=6)


def test_of_rows_that_come_one_by_one_the_uncertain_are_sampled_more_often() -> None:
    rules = configuration(uncertain_per_day=60, diversity=0)
    state, counts = evenly_spread_day(rules), Counter[str]()
    for number in range(1200):
        kind = ("unsure", "sure")[number % 2]
        row = prediction(f"{kind}-{number}", 24 + number / 50, score=0.5 if kind == "unsure" else 0.95)
        sampled, state = selected([row], rules, state, row.prediction_id)
        counts.update(sample.key.prediction_id.split("-")[0] for sample in sampled)
    assert counts.total() <= 60
    assert counts.total() >= 40
    assert counts["unsure"] > 4 * counts["sure"]


def test_rows_of_a_day_long_past_are_audited_but_take_no_budget() -> None:
    rules = configuration(random_rate=0.5)
    _, state = selected(predictions(10, 24), rules)
    _, state = selected(predictions(10, 48, "q"), rules, state)
    sampled, after = selected(predictions(40, 0, "late"), rules, state)
    assert {sample.reason for sample in sampled} == {SampleReason.AUDIT}
    assert {sample.selection_probability for sample in sampled} == {0.5}
    assert after.days == state.days


BATCHES = st.lists(st.tuples(st.integers(1, 40), st.floats(0, 72)), min_size=1, max_size=12)


@settings(max_examples=60)
@given(batches=BATCHES, budget=st.integers(0, 30), rate=st.sampled_from([0.0, 0.1]), diversity=st.floats(0, 1))
def test_no_stream_in_any_order_spends_more_than_a_day_s_budget(
    batches: list[tuple[int, float]], budget: int, rate: float, diversity: float
) -> None:
    rules = configuration(uncertain_per_day=budget, random_rate=rate, diversity=diversity)
    state, spent = NEW, Counter[int]()
    for number, (size, hours) in enumerate(batches):
        sampled, state = selected(predictions(size, hours, f"b{number}"), rules, state, f"b{number}")
        for sample in sampled:
            assert 0 < sample.selection_probability <= 1
            if sample.reason is SampleReason.UNCERTAIN:
                spent[(sample.sampled_at - MIDNIGHT) // timedelta(days=1)] += 1
    assert all(count <= budget for count in spent.values())

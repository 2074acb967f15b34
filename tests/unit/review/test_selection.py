import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.config.features import Feature, FeatureType
from hindsight.core import compact_json
from hindsight.core.errors import Unavailable
from hindsight.entities.prediction import Prediction
from hindsight.review.selection.sample import SampleReason
from hindsight.review.selection.selection import MAX_ROWS_A_ROUND, ReviewSelection
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.predictions.sampled_tasks import SampledTasks
from hindsight.testing.predictions.selection_store import InMemorySelection
from hindsight.validation.timestamps import ClientTimestamps
from tests.unit.review.streams import MIDNIGHT, MODEL, configuration, prediction, predictions


class World:
    """A selection with everything it touches."""

    def __init__(self, **review: float) -> None:
        self.configurations = InMemoryConfigurations(configuration(**review))
        self.store = InMemorySelection()
        self.tasks = SampledTasks()
        self.selection = ReviewSelection(self.configurations, self.store, self.tasks)

    def consider(self, name: str, rows: list[Prediction]) -> int:
        return self.selection.consider(name, rows)

    @property
    def sampled(self) -> set[str]:
        return {key.prediction_id for key in self.tasks.sampled}

    def probabilities(self) -> dict[str, float]:
        return {key.prediction_id: sample.selection_probability for key, sample in self.tasks.sampled.items()}

    def spent(self) -> Counter[int]:
        return Counter(
            (sample.sampled_at - MIDNIGHT) // timedelta(days=1)
            for sample in self.tasks.sampled.values()
            if sample.reason is SampleReason.UNCERTAIN
        )


def test_a_model_without_reviews_costs_no_more_than_its_configuration() -> None:
    world = World(uncertain_per_day=0)
    assert world.consider("b", predictions(50)) == 0
    assert world.store.stored == {}


def test_a_model_whose_only_reviews_are_the_audit_needs_no_state() -> None:
    world = World(uncertain_per_day=0, random_rate=0.2)
    assert world.consider("b", predictions(500)) == len(world.sampled) == pytest.approx(100, abs=30)
    assert set(world.probabilities().values()) == {0.2}
    assert world.store.stored == {}


def test_predictions_of_an_unconfigured_model_are_passed_over() -> None:
    world = World()
    assert world.consider("b", [prediction("p", model="unknown"), *predictions(30)]) == 20
    assert {key.model for key in world.tasks.sampled} == {MODEL}


def test_a_batch_delivered_again_changes_nothing() -> None:
    world = World(random_rate=0.1)
    world.consider("b", predictions(100))
    state, sampled = dict(world.store.stored), dict(world.tasks.sampled)
    assert world.consider("b", predictions(100)) == 0
    assert (world.store.stored, world.tasks.sampled) == (state, sampled)


def test_draws_end_with_their_time_and_go_on_when_the_batch_comes_again() -> None:
    rows = [*predictions(MAX_ROWS_A_ROUND), *(prediction(f"later-{number}") for number in range(20))]
    world, calm = World(random_rate=0.1), World(random_rate=0.1)
    calm.consider("b", rows)
    # One question a model, one an attempt at a draw.
    answers = iter([True, True, False])
    with pytest.raises(Unavailable, match="time does not suffice"):
        world.selection.consider("b", rows, has_time=lambda: next(answers))
    assert 0 < len(world.sampled) < len(calm.sampled)
    world.consider("b", rows)
    assert world.probabilities() == calm.probabilities()


def test_state_that_is_always_overtaken_is_given_up_when_time_is_over() -> None:
    world = World()
    asked = list[bool]()

    def has_time() -> bool:
        asked.append(len(asked) < 5)
        world.store.stored.clear()
        return asked[-1]

    world.store.save = lambda *_: False  # type: ignore[method-assign]
    with pytest.raises(Unavailable, match="time does not suffice"):
        world.selection.consider("b", predictions(10), has_time=has_time)
    assert len(asked) == 6


def test_tasks_that_a_crash_prevented_are_made_up_for_as_they_were_drawn() -> None:
    world, calm = World(random_rate=0.1), World(random_rate=0.1)
    calm.consider("b", predictions(100))
    world.tasks.calls_to_fail = 1
    with pytest.raises(Unavailable):
        world.consider("b", predictions(100))
    assert world.sampled == set()
    world.consider("b", predictions(100))
    assert world.tasks.sampled == calm.tasks.sampled


def test_a_batch_that_comes_back_in_halves_is_not_drawn_from_again() -> None:
    world, calm = World(random_rate=0.1), World(random_rate=0.1)
    rows = predictions(100)
    calm.consider("b", rows)
    world.tasks.calls_to_fail = 1
    with pytest.raises(Unavailable):
        world.consider("b", rows)
    world.consider("b", rows[:50])
    world.consider("second half", rows[50:])
    assert world.tasks.sampled == calm.tasks.sampled


def test_new_rows_beside_known_ones_are_drawn_from_alone() -> None:
    world = World(uncertain_per_day=40)
    world.consider("b", predictions(20, 10))
    before = world.probabilities()
    world.consider("b", [*predictions(20, 10), *predictions(20, 11, "new")])
    assert before.items() <= world.probabilities().items()
    assert any(name.startswith("new") for name in world.sampled)
    assert world.spent().total() <= 40


def test_two_shards_at_once_do_not_spend_the_budget_twice() -> None:
    world = World(uncertain_per_day=10)
    rival = ReviewSelection(world.configurations, world.store, world.tasks)

    def come_between() -> None:
        world.store.between = lambda: None
        rival.consider("rival", predictions(100, 12, "rival"))

    world.store.between = come_between
    world.consider("b", predictions(100))
    assert world.spent() == {0: 10}


def test_a_state_that_others_never_leave_alone_is_given_up_on() -> None:
    world = World()
    rival = ReviewSelection(world.configurations, world.store, world.tasks)
    names = iter(range(1000))

    def come_between() -> None:
        world.store.between = lambda: None
        number = next(names)
        rival.consider(f"rival-{number}", predictions(1, 12, f"rival-{number}"))
        world.store.between = come_between

    world.store.between = come_between
    with pytest.raises(Unavailable):
        world.consider("b", predictions(5))


def test_rows_received_around_midnight_are_charged_to_their_own_day() -> None:
    world = World(uncertain_per_day=5)
    world.consider("b", [*predictions(40, 23.99, "late"), *predictions(40, 24.01, "early")])
    world.consider("c", predictions(40, 23.98, "straggling"))
    assert world.spent() == {0: 5, 1: 5}


def test_a_batch_larger_than_a_draw_is_drawn_from_in_parts_of_equal_right() -> None:
    world = World(uncertain_per_day=100, diversity=0)
    rows = predictions(2 * MAX_ROWS_A_ROUND)
    world.consider("b", rows)
    first = {row.prediction_id for row in rows[:MAX_ROWS_A_ROUND]}
    assert len(world.sampled) == 100
    assert len(world.sampled & first) == pytest.approx(50, abs=5)


def test_state_stays_far_below_the_size_limit_of_an_item() -> None:
    rules = configuration(random_rate=1.0, uncertain_per_day=1_000_000)
    features = {f"{number:03d}{'ü' * 125}": Feature(type=FeatureType.NUMERIC) for number in range(200)}
    world = World()
    world.configurations.put(rules.model_copy(update={"features": features}), MIDNIGHT)
    dice = random.Random(1)
    for batch in range(8):
        rows = [
            prediction(
                f"{batch}-{number}-".ljust(128, "x"), batch * 3, features={name: dice.random() for name in features}
            )
            for number in range(1000)
        ]
        world.consider(f"b{batch}", rows)
    assert len(world.sampled) == 8000
    assert len(compact_json.dumps(world.store.load(MODEL).to_json()).encode()) < 300_000


STREAM = st.lists(st.integers(1, 30), min_size=1, max_size=8)


@settings(max_examples=40)
@given(sizes=STREAM, budget=st.integers(1, 25), seed=st.integers(0, 10_000))
def test_no_budget_is_exceeded_and_nothing_sampled_twice_for_any_batches_and_redeliveries(
    sizes: list[int], budget: int, seed: int
) -> None:
    dice = random.Random(seed)
    world = World(uncertain_per_day=budget, random_rate=0.1)
    hours = 0.0
    for number, size in enumerate(sizes):
        hours += dice.choice((0.01, 1, 9))
        rows = predictions(size, hours, f"b{number}")
        world.tasks.calls_to_fail = dice.choice((0, 0, 1))
        before = world.probabilities()
        cut = dice.randrange(size + 1)
        for name, part in ((f"b{number}", rows), (f"b{number}", rows[:cut]), (f"b{number}-2", rows[cut:])):
            try:
                world.consider(name, part)
            except Unavailable:
                continue
        assert before.items() <= world.probabilities().items()
    assert all(count <= budget for count in world.spent().values())
    recorded = {sample.key: sample for drawn in world.store.load(MODEL).recent for sample in drawn.sampled}
    assert world.tasks.sampled == recorded


def test_an_imported_past_is_not_sampled_from_where_clocks_are_our_own() -> None:
    world = World(random_rate=1.0)
    rows = predictions(10, 12)
    long_after = rows[0].received_at + timedelta(days=15)

    assert world.selection.consider("b", rows, long_after) == 0
    assert replace(world.selection, trust=ClientTimestamps.TRUSTED).consider("b", rows, long_after) == 10


def test_worker_that_loses_many_rounds_waits_before_each_and_draws_in_the_end() -> None:
    world, waits = World(uncertain_per_day=10), list[int]()
    selection = replace(world.selection, pause=waits.append)
    rival = ReviewSelection(world.configurations, world.store, world.tasks)
    rounds = iter(range(20))

    def come_between() -> None:
        world.store.between = lambda: None
        if (number := next(rounds, None)) is not None:
            rival.consider(f"rival-{number}", predictions(1, 12, f"rival-{number}"))
            world.store.between = come_between

    world.store.between = come_between
    selection.consider("b", predictions(5))
    assert waits == list(range(1, 21))

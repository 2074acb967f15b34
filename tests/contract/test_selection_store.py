"""One suite judges the fake and the adapter."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from hindsight.adapters.models_table.selection_table import DynamoSelection
from hindsight.entities.prediction import PredictionKey
from hindsight.review.selection.budget import Day
from hindsight.review.selection.diversity import Moments
from hindsight.review.selection.sample import SampledPrediction, SampleReason
from hindsight.review.selection.state import Rate, SelectionRound, SelectionState, SelectionStore
from hindsight.testing.predictions.selection_store import InMemorySelection

SAMPLED = SampledPrediction(
    key=PredictionKey("bike", "p-1"),
    reason=SampleReason.UNCERTAIN,
    selection_probability=1 / 3,
    sampled_at=datetime(2026, 3, 1, 12, 0, 0, 7, tzinfo=UTC),
)
FULL = SelectionState(
    model="bike",
    version=1,
    days=(
        Day(day=date(2026, 2, 28), hours=(0,) * 23 + (7,), sampled=2, cells={(0, -1, 12): 2}),
        Day(day=date(2026, 3, 1)),
    ),
    moments={"temperature": Moments(3, 0.1 + 0.2, 1e-200), "größe\u2028": Moments(1, -1e100, 1e200)},
    rate=Rate(0.123456789012, 40),
    recent=(SelectionRound(("He5uPsZ9", "AAAA+/AA"), (SAMPLED,)), SelectionRound(("BBBBBBBB",), ())),
)


@pytest.fixture(params=["in_memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> SelectionStore:
    if request.param == "in_memory":
        return InMemorySelection()
    return DynamoSelection("models", request.getfixturevalue("dynamodb"))


def test_a_model_never_drawn_from_has_a_new_state(store: SelectionStore) -> None:
    assert store.load("bike") == SelectionState(model="bike")


def test_every_field_of_a_state_comes_back(store: SelectionStore) -> None:
    assert store.save(FULL, 0)
    assert store.load("bike") == FULL


def test_of_two_states_made_from_one_only_the_first_is_kept(store: SelectionStore) -> None:
    assert store.save(FULL, 0)
    assert not store.save(replace(FULL, rate=Rate()), 0)
    assert store.load("bike") == FULL


def test_a_later_state_replaces_only_the_version_it_was_made_from(store: SelectionStore) -> None:
    store.save(FULL, 0)
    later = replace(FULL, version=2, recent=())
    assert not store.save(later, 5)
    assert store.save(later, 1)
    assert store.load("bike") == later


def test_models_do_not_share_state(store: SelectionStore) -> None:
    store.save(FULL, 0)
    assert store.load("bike-2") == SelectionState(model="bike-2")

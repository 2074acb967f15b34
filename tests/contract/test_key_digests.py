"""Digests of keys are kept, and turns taken, alike by the fake and by DynamoDB."""

import pytest

from hindsight.adapters.models_table.key_digests import SECONDS_PER_TURN, DynamoKeyDigests
from hindsight.runtime.http.keyring import KeyDigests
from hindsight.testing.models.key_digests import InMemoryKeyDigests


@pytest.fixture(params=["in_memory", "dynamodb"])
def digests(request: pytest.FixtureRequest) -> KeyDigests:
    if request.param == "in_memory":
        return InMemoryKeyDigests()
    return DynamoKeyDigests("models", request.getfixturevalue("dynamodb"))


def test_kept_digests_are_known_and_no_others(digests: KeyDigests) -> None:
    digests.keep("a1", b"\x00\xff")
    digests.keep("o1", b"o")
    assert digests.known(["a1", "b1"]) == {"a1": b"\x00\xff"}
    assert digests.known([]) == {}


def test_one_process_at_a_time_has_the_turn(digests: KeyDigests) -> None:
    assert [digests.take_turn(1000.25), digests.take_turn(1000.25)] == [True, False]
    assert not digests.take_turn(1000.25 + SECONDS_PER_TURN / 2)
    assert digests.take_turn(1000.25 + SECONDS_PER_TURN)


def test_the_turn_is_no_key(digests: KeyDigests) -> None:
    digests.take_turn(1000.0)
    assert digests.known(["a1"]) == {}

"""Keys are recognised by kept digests: the control plane is asked once a key, for any number of calls and callers."""

from itertools import pairwise

import pytest

from hindsight.core.errors import Unavailable
from hindsight.runtime.http.audiences import Audience
from hindsight.runtime.http.keyring import GONE_SECONDS, LOOKUP_SECONDS, ApiKeyring, KeyId
from hindsight.testing.models.key_digests import InMemoryKeyDigests

KEY_IDS: list[KeyId] = [(Audience.APP, "a1"), (Audience.REVIEWER, "r1"), (Audience.OPERATOR, "o1")]
VALUES = {"a1": "app-key", "r1": "reviewer-key", "o1": "operator-key"}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class ControlPlane:
    """API Gateway's keys, and when they were asked for."""

    def __init__(self, clock: Clock) -> None:
        self.values: dict[str, str] = dict(VALUES)
        self.reads: list[float] = []
        self.is_throttled = False
        self._clock = clock

    def value(self, key_id: str) -> str | None:
        self.reads.append(self._clock.now)
        if self.is_throttled:
            raise Unavailable("throttled")
        return self.values.get(key_id)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def plane(clock: Clock) -> ControlPlane:
    return ControlPlane(clock)


@pytest.fixture
def digests() -> InMemoryKeyDigests:
    return InMemoryKeyDigests()


def keyring(
    digests: InMemoryKeyDigests, plane: ControlPlane, clock: Clock, key_ids: list[KeyId] | None = None
) -> ApiKeyring:
    return ApiKeyring(key_ids or KEY_IDS, digests, plane, clock, clock.sleep)


def test_key_maps_to_its_audience_and_another_to_none(
    digests: InMemoryKeyDigests, plane: ControlPlane, clock: Clock
) -> None:
    keys = keyring(digests, plane, clock)
    assert [keys.audience_of(value) for value in VALUES.values()] == list(Audience)
    assert [keys.audience_of(guess) for guess in ("app-key ", "", "app-ke", "a1")] == [None] * 4


def test_each_key_is_read_once_in_the_life_of_a_deployment_for_all_callers(
    digests: InMemoryKeyDigests, plane: ControlPlane, clock: Clock
) -> None:
    keyring(digests, plane, clock).audience_of("app-key")
    assert len(plane.reads) == len(KEY_IDS)
    for instance in range(20):
        cold = keyring(digests, plane, clock)
        for call in range(50):
            clock.now += 10
            assert cold.audience_of(f"guess-{instance}-{call}") is None
            assert cold.audience_of("operator-key") is Audience.OPERATOR
    assert len(plane.reads) == len(KEY_IDS)
    assert digests.reads == 1 + 20


def test_honest_key_is_taken_while_the_control_plane_throttles_where_its_digest_is_kept(
    digests: InMemoryKeyDigests, plane: ControlPlane, clock: Clock
) -> None:
    keyring(digests, plane, clock).audience_of("app-key")
    plane.reads.clear()
    plane.is_throttled = True
    cold = keyring(digests, plane, clock)
    assert cold.audience_of("app-key") is Audience.APP
    assert cold.audience_of("a guess") is None
    assert plane.reads == []


def test_unknown_key_is_neither_taken_nor_refused_while_digests_are_missing(
    digests: InMemoryKeyDigests, plane: ControlPlane, clock: Clock
) -> None:
    plane.is_throttled = True
    keys = keyring(digests, plane, clock)
    for value in ("app-key", "a guess"):
        with pytest.raises(Unavailable):
            keys.audience_of(value)
    plane.is_throttled = False
    clock.now += 10
    assert keys.audience_of("app-key") is Audience.APP
    assert keys.audience_of("a guess") is None


def test_flood_on_many_instances_asks_a_throttled_control_plane_a_few_times_a_second(
    digests: InMemoryKeyDigests, plane: ControlPlane, clock: Clock
) -> None:
    plane.is_throttled = True
    started = clock.now
    for _ in range(100):
        for instance in [keyring(digests, plane, clock) for _ in range(10)]:
            with pytest.raises(Unavailable):
                instance.audience_of("a guess")
    assert len(plane.reads) <= (clock.now - started) / 2 + 1
    assert all(later - earlier >= 1.99 for earlier, later in pairwise(plane.reads))


def test_process_that_misses_digests_looks_for_them_seldom(
    digests: InMemoryKeyDigests, plane: ControlPlane, clock: Clock
) -> None:
    plane.is_throttled = True
    keys = keyring(digests, plane, clock)
    with pytest.raises(Unavailable):
        keys.audience_of("a guess")
    reads, waited = digests.reads, clock.now
    for _ in range(100):
        with pytest.raises(Unavailable):
            keys.audience_of("a guess")
    assert (digests.reads, clock.now) == (reads, waited)
    clock.now += LOOKUP_SECONDS
    with pytest.raises(Unavailable):
        keys.audience_of("a guess")
    assert digests.reads > reads


def test_instance_waits_for_the_key_that_another_one_reads(
    digests: InMemoryKeyDigests, plane: ControlPlane, clock: Clock
) -> None:
    digests.take_turn(clock.now)

    class Other(Clock):
        now = clock.now

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if not digests.kept:
                keyring(digests, plane, Clock())._read_values()

    other = Other()
    assert ApiKeyring(KEY_IDS, digests, plane, other, other.sleep).audience_of("app-key") is Audience.APP
    assert len(plane.reads) == len(KEY_IDS)


def test_new_generation_is_known_beside_the_first_and_an_old_one_is_refused(
    digests: InMemoryKeyDigests, plane: ControlPlane, clock: Clock
) -> None:
    keyring(digests, plane, clock).audience_of("app-key")
    plane.values["a2"] = "second-app-key"
    both = keyring(digests, plane, clock, [*KEY_IDS, (Audience.APP, "a2")])
    clock.now += 10
    assert [both.audience_of(key) for key in ("app-key", "second-app-key")] == [Audience.APP] * 2
    replaced = keyring(digests, plane, clock, [(Audience.APP, "a2"), *KEY_IDS[1:]])
    assert [replaced.audience_of(key) for key in ("app-key", "second-app-key")] == [None, Audience.APP]
    assert len(plane.reads) == len(KEY_IDS) + 1


def test_key_deleted_by_hand_blocks_nothing(digests: InMemoryKeyDigests, plane: ControlPlane, clock: Clock) -> None:
    del plane.values["r1"]
    keys = keyring(digests, plane, clock)
    assert keys.audience_of("reviewer-key") is None
    assert keys.audience_of("operator-key") is Audience.OPERATOR
    reads = len(plane.reads)
    assert [keys.audience_of(f"guess-{number}") for number in range(50)] == [None] * 50
    assert len(plane.reads) == reads


def test_key_that_was_not_found_right_after_it_was_made_is_found_later(
    digests: InMemoryKeyDigests, plane: ControlPlane, clock: Clock
) -> None:
    del plane.values["r1"]
    keys = keyring(digests, plane, clock)
    assert keys.audience_of("reviewer-key") is None
    plane.values["r1"] = "reviewer-key"
    clock.now += GONE_SECONDS
    assert keys.audience_of("reviewer-key") is Audience.REVIEWER


def test_stored_digest_reveals_nothing_of_the_key(
    digests: InMemoryKeyDigests, plane: ControlPlane, clock: Clock
) -> None:
    plane.values["o1"] = "app-key"
    keyring(digests, plane, clock).audience_of("app-key")
    assert len(set(digests.kept.values())) == len(KEY_IDS)
    assert not any(value.encode() in digest for value in plane.values.values() for digest in digests.kept.values())

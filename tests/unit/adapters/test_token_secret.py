"""The keys of feedback tokens over a Secrets Manager: exchanged without a gap between instances, and read seldom."""

import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from hindsight.adapters.aws.token_secret import (
    CACHE_SECONDS,
    SIGNING_DELAY_SECONDS,
    UNKNOWN_SECONDS,
    SecretsManagerKeys,
)
from hindsight.core.errors import Unavailable
from hindsight.ingestion.feedback_token import KeyNotLookedUp


class Clock:
    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Secret:
    """A secret whose exchanges happen at given moments and are seen ``lag`` seconds later."""

    def __init__(self, clock: Clock, exchanged_at: Sequence[float], lag: float = 0.0) -> None:
        self._clock, self._made_at, self.lag = clock, [-1e6, *exchanged_at], lag
        self.reads, self.is_down = 0, False

    def get_secret_value(self, SecretId: str, VersionStage: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        self.reads += 1
        if self.is_down:
            raise ClientError({"Error": {"Code": "InternalServiceError", "Message": ""}}, "GetSecretValue")
        newest = bisect_right(self._made_at, self._clock.now - self.lag) - 1
        version = newest if VersionStage == "AWSCURRENT" else newest - 1
        if version < 0:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "GetSecretValue")
        return {"SecretString": f"key {version}", "CreatedDate": datetime.fromtimestamp(self._made_at[version], UTC)}

    def good(self) -> list[str]:
        """List the secrets that are good now."""
        newest = bisect_right(self._made_at, self._clock.now) - 1
        return [f"key {version}" for version in (newest, newest - 1)]


def instance(secret: Secret, clock: Clock) -> SecretsManagerKeys:
    return SecretsManagerKeys("tokens", secret, clock)  # type: ignore[arg-type]


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        made = boto3.client("secretsmanager", region_name="eu-west-1")
        made.create_secret(Name="tokens", SecretString="first" * 8)
        yield made


def test_exchanged_key_signs_after_a_delay_and_both_keys_are_good_meanwhile(client: Any) -> None:
    clock = Clock(time.time())
    keys = SecretsManagerKeys("tokens", client, clock)
    first = keys.current()
    client.put_secret_value(SecretId="tokens", SecretString="second" * 8)
    new_instance = SecretsManagerKeys("tokens", client, clock)
    assert new_instance.current() == first
    clock.now += SIGNING_DELAY_SECONDS + 1
    second = new_instance.current()
    assert second != first
    assert (keys.named(second.name), keys.named(first.name), keys.current()) == (second, first, second)
    client.put_secret_value(SecretId="tokens", SecretString="third" * 9)
    clock.now += CACHE_SECONDS + 1
    assert keys.named(first.name) is None


@given(st.lists(st.floats(0, 600), max_size=4), st.lists(st.tuples(st.floats(0, 200), st.booleans()), max_size=12))
def test_no_token_of_a_good_key_is_refused_whenever_instances_read_the_secret(
    gaps: list[float], steps: list[tuple[float, bool]]
) -> None:
    clock = Clock()
    exchanged_at = [sum(gaps[: position + 1]) for position in range(len(gaps))]
    # A lookup right after an exchange may see the key before it; only a delay helps, and two in a row leave none.
    lag = 20.0 if all(gap >= SIGNING_DELAY_SECONDS for gap in gaps) else 0.0
    secret = Secret(clock, exchanged_at, lag)
    signer, reader = instance(secret, clock), instance(secret, clock)
    for seconds, is_restarted in steps:
        clock.now += seconds
        signer = instance(secret, clock) if is_restarted else signer
        signed_with = signer.current()
        if signed_with.secret.decode() in secret.good():
            with suppress(KeyNotLookedUp):  # "send the event again"
                assert reader.named(signed_with.name) == signed_with


def test_key_of_another_instance_is_looked_up_at_once() -> None:
    clock = Clock()
    secret = Secret(clock, [100.0])
    reader = instance(secret, clock)
    first = reader.current()
    clock.now = 100.0 + SIGNING_DELAY_SECONDS
    second = instance(secret, clock).current()
    assert second != first
    assert reader.named(second.name) == second


def test_forged_names_do_not_make_the_secret_be_read_for_each() -> None:
    clock = Clock()
    secret = Secret(clock, [])
    keys = instance(secret, clock)
    honest = keys.current()
    answers: list[str] = []
    for number in range(100):
        clock.now = number / 10
        assert keys.named(honest.name) == honest
        try:
            answers.append("forged" if keys.named(f"{number:08x}") is None else "taken")
        except KeyNotLookedUp:
            answers.append("again")
    assert answers[:3] == ["forged"] * 3
    assert "taken" not in answers
    assert answers[-1] == "again"
    assert secret.reads == 2 * (1 + 3)
    assert keys.named(f"{0:08x}") is None, "what was looked up stays known to be forged for a while"
    clock.now += 2 * UNKNOWN_SECONDS
    assert keys.named(f"{99:08x}") is None


def test_key_is_looked_up_although_the_clock_was_set_back() -> None:
    clock = Clock(1000.0)
    secret = Secret(clock, [500.0])
    reader = instance(secret, clock)
    reader.current()
    clock.now = 600.0
    assert reader.named("0" * 8) is None
    clock.now = 601.0
    assert reader.named("1" * 8) is None


def test_known_keys_are_good_while_a_lookup_fails() -> None:
    clock = Clock()
    secret = Secret(clock, [])
    keys = instance(secret, clock)
    known = keys.current()
    secret.is_down = True
    with pytest.raises(KeyNotLookedUp):
        keys.named("0" * 8)
    assert keys.named(known.name) == known


def test_without_the_secret_the_call_is_to_be_made_again(client: Any) -> None:
    with pytest.raises(Unavailable):
        SecretsManagerKeys("elsewhere", client).current()

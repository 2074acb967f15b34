"""The keys of feedback tokens over a Secrets Manager: exchanged without a gap, and read seldom."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from shared.aws.token_secret import SecretsManagerKeys
from shared.errors import Unavailable


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        made = boto3.client("secretsmanager", region_name="eu-west-1")
        made.create_secret(Name="tokens", SecretString="first" * 8)
        yield made


def test_while_keys_are_exchanged_both_are_good_and_the_new_one_makes_tokens(client: Any) -> None:
    clock = Clock()
    keys = SecretsManagerKeys("tokens", client, clock)
    first = keys.current()
    client.put_secret_value(SecretId="tokens", SecretString="second" * 8)
    assert keys.current() == first
    second = SecretsManagerKeys("tokens", client, clock).current()
    clock.now = 31
    assert keys.named(second.name) == second
    assert (keys.named(first.name), keys.current()) == (first, second)
    client.put_secret_value(SecretId="tokens", SecretString="third" * 9)
    clock.now = 1000
    assert keys.named(first.name) is None


def test_forged_names_do_not_make_the_secret_be_read_for_each(client: Any) -> None:
    reads: list[str] = []
    client.meta.events.register("before-call.secretsmanager.GetSecretValue", lambda **_: reads.append("read"))
    clock = Clock()
    keys = SecretsManagerKeys("tokens", client, clock)
    for number in range(100):
        clock.now = number / 10
        assert keys.named(f"forged-{number}") is None
    assert len(reads) == 2


def test_without_the_secret_the_call_is_to_be_made_again(client: Any) -> None:
    with pytest.raises(Unavailable):
        SecretsManagerKeys("elsewhere", client).current()

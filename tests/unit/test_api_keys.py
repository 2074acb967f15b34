from typing import Any

import pytest
from botocore.exceptions import ClientError

from shared.aws.api_keys import KNOWN_FOR_SECONDS, STRANGERS_WAIT_SECONDS, ApiKeyring
from shared.http.audiences import Audience

KEY_IDS = [(Audience.APP, "a1"), (Audience.OPERATOR, "o1")]


class Gateway:
    """API Gateway's keys, and how often they were asked for."""

    def __init__(self) -> None:
        self.keys = {"a1": {"value": "app-key", "enabled": True}, "o1": {"value": "operator-key", "enabled": True}}
        self.reads = 0
        self.throttled = False

    def get_api_key(self, apiKey: str, includeValue: bool) -> dict[str, Any]:  # noqa: N803 - boto3's names
        assert includeValue
        self.reads += 1
        if self.throttled:
            raise ClientError({"Error": {"Code": "TooManyRequestsException", "Message": ""}}, "GetApiKey")
        return self.keys[apiKey]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keyring(gateway: Gateway, clock: Clock) -> ApiKeyring:
    return ApiKeyring(KEY_IDS, gateway, clock)  # type: ignore[arg-type]


def test_a_key_tells_its_audience_and_a_stranger_has_none(keyring: ApiKeyring) -> None:
    assert keyring.audience_of("app-key") is Audience.APP
    assert keyring.audience_of("operator-key") is Audience.OPERATOR
    assert keyring.audience_of("app-key ") is None
    assert keyring.audience_of("") is None


def test_known_keys_are_read_once_and_guesses_do_not_cost_a_read_each(keyring: ApiKeyring, gateway: Gateway) -> None:
    for guess in range(50):
        keyring.audience_of("app-key")
        keyring.audience_of(f"guess-{guess}")
    assert gateway.reads == len(KEY_IDS)


def test_a_replaced_key_is_known_at_once_and_the_old_one_is_forgotten(
    keyring: ApiKeyring, gateway: Gateway, clock: Clock
) -> None:
    assert keyring.audience_of("app-key") is Audience.APP
    gateway.keys["a1"]["value"] = "new-key"
    clock.now += STRANGERS_WAIT_SECONDS + 1
    assert keyring.audience_of("new-key") is Audience.APP
    assert keyring.audience_of("app-key") is None


def test_a_disabled_key_is_a_stranger_s_once_its_time_is_over(
    keyring: ApiKeyring, gateway: Gateway, clock: Clock
) -> None:
    assert keyring.audience_of("app-key") is Audience.APP
    gateway.keys["a1"]["enabled"] = False
    clock.now += KNOWN_FOR_SECONDS + 1
    assert keyring.audience_of("app-key") is None


def test_keys_stay_known_while_api_gateway_throttles(keyring: ApiKeyring, gateway: Gateway, clock: Clock) -> None:
    assert keyring.audience_of("app-key") is Audience.APP
    gateway.throttled = True
    clock.now += KNOWN_FOR_SECONDS + 1
    assert keyring.audience_of("app-key") is Audience.APP


def test_without_any_known_key_throttling_is_an_error_not_a_refusal(keyring: ApiKeyring, gateway: Gateway) -> None:
    gateway.throttled = True
    with pytest.raises(ClientError):
        keyring.audience_of("app-key")


def test_both_keys_of_an_audience_are_good_while_one_is_replaced(gateway: Gateway, clock: Clock) -> None:
    gateway.keys["a2"] = {"value": "second-app-key", "enabled": True}
    keyring = ApiKeyring([*KEY_IDS, (Audience.APP, "a2")], gateway, clock)  # type: ignore[arg-type]
    assert [keyring.audience_of(key) for key in ("app-key", "second-app-key")] == [Audience.APP] * 2
    gateway.keys["a1"] = {"value": "replaced", "enabled": True}
    clock.now += 301
    assert [keyring.audience_of(key) for key in ("app-key", "second-app-key")] == [None, Audience.APP]

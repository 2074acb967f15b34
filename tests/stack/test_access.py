"""Every route with every key: those it is for reach it, all others are turned away in the contract's shape."""

import re

import pytest
import requests

from local.openapi.routes import ROUTES
from local.state import Stack
from shared.http.audiences import Audience

CALLS = [(route.method.upper(), re.sub(r"\{\w+\}", "m", route.path), route.audiences) for route in ROUTES]
UNKNOWN = "0123456789abcdef0123456789abcdef"


def call(stack: Stack, method: str, path: str, key: str | None) -> requests.Response:
    headers = {} if key is None else {"x-api-key": key}
    return requests.request(method, stack.api_url + path, headers=headers, json={}, timeout=60)


def require_error(answer: requests.Response, *statuses: int) -> None:
    assert answer.status_code in statuses
    assert set(answer.json()["error"]) == {"code", "message", "details"}
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in CALLS])
def test_without_a_key_every_route_is_401_and_with_an_unknown_one_403(stack: Stack, method: str, path: str) -> None:
    require_error(call(stack, method, path, None), 401)
    require_error(call(stack, method, path, UNKNOWN), 403)


@pytest.mark.parametrize(("method", "path", "audiences"), CALLS)
def test_each_audience_reaches_its_own_routes_and_no_others(
    stack: Stack, method: str, path: str, audiences: tuple[Audience, ...]
) -> None:
    for audience in Audience:
        answer = call(stack, method, path, stack.keys[audience.value])
        if audience not in audiences:
            require_error(answer, 403)
        elif answer.status_code != 200:
            require_error(answer, 400, 404, 409, 415)


def test_an_address_without_a_route_is_404_in_the_contract_s_shape(stack: Stack) -> None:
    require_error(call(stack, "GET", "/nothing", stack.keys["operator"]), 404)


@pytest.mark.parametrize("path", ["/models/m/predict", "/models/m/feedback"])
def test_browsers_of_other_sites_are_told_nothing_unless_an_origin_is_allowed(stack: Stack, path: str) -> None:
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    preflight = requests.options(stack.api_url + path, headers=asked, timeout=60)
    assert preflight.status_code == 404
    sent = requests.post(stack.api_url + path, headers={**asked, "x-api-key": stack.keys["app"]}, json={}, timeout=60)
    for answer in (preflight, sent):
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]

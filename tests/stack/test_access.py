"""Every route with every key: those it is for reach it, all others are turned away in the contract's shape."""

import re

import pytest
import requests

from hindsight.runtime.http.audiences import Audience
from local.openapi.routes import ROUTES
from local.state import Stack

CALLS = [(route.method.upper(), re.sub(r"\{\w+\}", "m", route.path), route.audiences) for route in ROUTES]
NO_ROUTE = "nothing answers this method at this address; GET /v1/openapi.json lists the calls"
UNKNOWN = "0123456789abcdef0123456789abcdef"


def call(stack: Stack, method: str, path: str, key: str | None) -> requests.Response:
    headers = {} if key is None else {"x-api-key": key}
    return requests.request(method, stack.api_url + path, headers=headers, json={}, timeout=60)


def refusal(answer: requests.Response) -> tuple[int, str] | None:
    """Read the status and the message of an error; None if there is none or it lacks the contract's shape."""
    error = answer.json().get("error") if answer.headers.get("x-request-id") else None
    if not isinstance(error, dict) or error.keys() != {"code", "message", "details"}:
        return None
    return answer.status_code, error["message"]


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in CALLS])
def test_without_a_key_every_route_is_401_and_with_an_unknown_one_403(stack: Stack, method: str, path: str) -> None:
    refused = [refusal(call(stack, method, path, key)) for key in (None, UNKNOWN)]
    assert [status for status, _ in filter(None, refused)] == [401, 403]


@pytest.mark.parametrize(("method", "path", "audiences"), CALLS)
def test_each_audience_reaches_its_own_routes_and_no_others(
    stack: Stack, method: str, path: str, audiences: tuple[Audience, ...]
) -> None:
    for audience in Audience:
        answer = call(stack, method, path, stack.keys[audience.value])
        status, message = refusal(answer) or (answer.status_code, "")
        # There is no such model, and nothing in the body: what counts is that the route itself said so.
        assert status in ((200, 400, 404, 409) if audience in audiences else (403,)), audience
        assert message != NO_ROUTE


def test_an_address_without_a_route_is_404_in_the_contract_s_shape(stack: Stack) -> None:
    assert refusal(call(stack, "GET", "/nothing", stack.keys["operator"])) == (404, NO_ROUTE)


@pytest.mark.parametrize("path", ["/models/m/predict", "/models/m/feedback"])
def test_browsers_of_other_sites_get_no_headers_unless_an_origin_is_allowed(stack: Stack, path: str) -> None:
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    preflight = requests.options(stack.api_url + path, headers=asked, timeout=60)
    assert preflight.status_code == 404
    sent = requests.post(stack.api_url + path, headers={**asked, "x-api-key": stack.keys["app"]}, json={}, timeout=60)
    for answer in (preflight, sent):
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_prediction_whose_id_reads_like_a_route_is_the_operators_alone(stack: Stack) -> None:
    answers = {
        audience.value: call(stack, "GET", "/models/m/predictions/review", stack.keys[audience.value])
        for audience in Audience
    }
    assert {name: (refusal(one) or (0,))[0] for name, one in answers.items()} == {
        "app": 403,
        "reviewer": 403,
        "operator": 404,
    }

import pytest
import requests

from local.state import Stack

APP = [("POST", "/models/m/predict"), ("POST", "/models/m/predictions"), ("POST", "/models/m/feedback")]
REVIEWER = [("GET", "/models/m/review"), ("POST", "/models/m/review")]
OPERATOR = [
    ("PUT", "/models/m"),
    ("GET", "/models/m"),
    ("POST", "/models/m/retrain"),
    ("GET", "/models/m/predictions/p"),
    ("GET", "/models/m/decisions"),
    ("GET", "/models/m/versions"),
    ("GET", "/models/m/history"),
    ("GET", "/models/m/quarantine"),
    ("POST", "/models/m/quarantine/replay"),
    ("GET", "/models/m/quarantine/replays/r"),
    ("GET", "/models/m/imports"),
]


def call(stack: Stack, method: str, path: str, key: str | None) -> requests.Response:
    headers = {} if key is None else {"x-api-key": key}
    return requests.request(method, stack.api_url + path, headers=headers, json={}, timeout=60)


def is_an_error_of_the_contract(answer: requests.Response) -> bool:
    error = answer.json()["error"]
    return set(error) == {"code", "message", "details"} and bool(answer.headers["x-request-id"])


@pytest.mark.parametrize(("method", "path"), [*APP, *REVIEWER, *OPERATOR])
def test_without_a_key_every_route_is_401(stack: Stack, method: str, path: str) -> None:
    answer = call(stack, method, path, None)
    assert answer.status_code == 401
    assert is_an_error_of_the_contract(answer)


@pytest.mark.parametrize(("method", "path"), [*APP, *REVIEWER, *OPERATOR])
def test_with_an_unknown_key_every_route_is_403(stack: Stack, method: str, path: str) -> None:
    answer = call(stack, method, path, "0123456789abcdef0123456789abcdef")
    assert answer.status_code == 403
    assert is_an_error_of_the_contract(answer)


@pytest.mark.parametrize(("method", "path"), OPERATOR)
@pytest.mark.parametrize("audience", ["app", "reviewer"])
def test_another_audience_s_key_on_an_operator_s_route_is_403(
    stack: Stack, audience: str, method: str, path: str
) -> None:
    answer = call(stack, method, path, stack.keys[audience])
    assert answer.status_code == 403
    assert is_an_error_of_the_contract(answer)


@pytest.mark.parametrize(("method", "path"), APP)
@pytest.mark.parametrize("audience", ["operator", "reviewer"])
def test_another_audience_s_key_on_an_app_s_route_is_403(stack: Stack, audience: str, method: str, path: str) -> None:
    answer = call(stack, method, path, stack.keys[audience])
    assert answer.status_code == 403
    assert is_an_error_of_the_contract(answer)


@pytest.mark.parametrize(("method", "path"), REVIEWER)
@pytest.mark.parametrize("audience", ["app", "operator"])
def test_another_audience_s_key_on_a_reviewer_s_route_is_403(
    stack: Stack, audience: str, method: str, path: str
) -> None:
    answer = call(stack, method, path, stack.keys[audience])
    assert answer.status_code == 403
    assert is_an_error_of_the_contract(answer)


@pytest.mark.parametrize(
    ("audience", "method", "path"),
    [
        *(("app", *route) for route in APP),
        *(("reviewer", *route) for route in REVIEWER),
        *(("operator", *route) for route in OPERATOR),
    ],
)
def test_each_audience_reaches_its_own_routes(stack: Stack, audience: str, method: str, path: str) -> None:
    answer = call(stack, method, path, stack.keys[audience])
    assert answer.status_code in {400, 404, 409, 415}
    assert is_an_error_of_the_contract(answer)


def test_an_address_without_a_route_is_404_in_the_contract_s_shape(stack: Stack) -> None:
    answer = call(stack, "GET", "/nothing", stack.keys["operator"])
    assert answer.status_code == 404
    assert is_an_error_of_the_contract(answer)

"""The answers of API Gateway itself, to what is too large and where a function fails, have the API's own shape."""

import json
from collections.abc import Iterator

import pytest
import requests

from local.client import StackClient

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"x" * (10 * MIB + 1), {}),
        (json.dumps({"predictions": '"' * (2 * MIB)}).encode(), {}),  # escaped twice on its way into the function
        (b"{}", {"x-much": "x" * 11_000}),
    ],
)
def test_request_larger_than_the_gateway_takes_is_a_413(
    client: StackClient, body: bytes, headers: dict[str, str]
) -> None:
    headers = {"content-type": "application/json", "x-api-key": client.stack.keys["app"], **headers}
    url = f"{client.stack.api_url.rstrip('/')}/models/any/predictions"
    refused = requests.post(url, data=body, headers=headers, timeout=60)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["details"]) == (413, "too_large", [])
    assert "the body is too large, or the request line and headers" in error["message"]


@pytest.fixture
def broken(client: StackClient) -> Iterator[None]:
    """A deployment whose function of the OpenAPI document cannot be started."""
    lambdas, name = client.aws("lambda"), client.stack.outputs["GetOpenapiFunction"]
    before = lambdas.get_function_configuration(FunctionName=name)["Handler"]
    lambdas.update_function_configuration(FunctionName=name, Handler="functions.get_openapi.app.missing_handler")
    yield
    lambdas.update_function_configuration(FunctionName=name, Handler=before)


def test_function_that_fails_is_a_502_without_a_word_of_its_own(client: StackClient, broken: None) -> None:
    answer = requests.get(
        f"{client.stack.api_url.rstrip('/')}/openapi.json",
        headers={"x-api-key": client.stack.keys["operator"]},
        timeout=60,
    )
    assert answer.status_code == 502
    assert answer.json() == {
        "error": {"code": "error", "message": "something went wrong on our side; try again", "details": []}
    }
    assert answer.headers["x-request-id"]

"""Sizes that Lambda and API Gateway refuse are refused here too, in the API's own shape."""

import json

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
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "too_large")

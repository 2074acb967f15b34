"""The answers of API Gateway itself have the one shape of the API's errors."""

import json
import re
from typing import Any

import pytest

from local.gateway_rules import HEADER_BYTES


@pytest.fixture
def responses(template: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"]["Api"]["Properties"]["GatewayResponses"]
    return found


def body_of(response: dict[str, Any]) -> dict[str, Any]:
    """Write a response's body, with text for each variable."""
    written = response["ResponseTemplates"]["application/json"].replace("$context.error.messageString", '"message"')
    found: dict[str, Any] = json.loads(re.sub(r"\$context\.authorizer\.\w+", "text", written))
    return found


def test_every_gateway_response_has_the_shape_of_an_error_and_the_id_of_its_request(responses: dict[str, Any]) -> None:
    for kind, response in responses.items():
        error = body_of(response)["error"]
        assert (list(error), error["details"]) == (["code", "message", "details"], []), kind
        assert response["ResponseParameters"]["Headers"] == {"x-request-id": "context.requestId"}, kind


def test_failed_functions_and_timeouts_have_a_response_of_their_own(responses: dict[str, Any]) -> None:
    statuses = {kind: responses[kind]["StatusCode"] for kind in ("INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT")}
    assert statuses == {"INTEGRATION_FAILURE": "502", "INTEGRATION_TIMEOUT": "504"}
    # Another failure keeps the status it has.
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= responses.keys()
    assert "StatusCode" not in responses["DEFAULT_5XX"]


def test_request_that_is_too_large_hears_of_its_headers_too(responses: dict[str, Any]) -> None:
    message = body_of(responses["REQUEST_TOO_LARGE"])["error"]["message"]
    assert "body" in message
    assert "headers" in message
    assert f"{HEADER_BYTES:,} bytes" in message

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from functions.get_openapi.app import handler
from local.openapi.document import document
from tests.ports import forget_ports

Sample = Callable[[str], dict[str, Any]]


def test_the_sample_request_is_answered_with_the_document(context: object, sample: Sample) -> None:
    answer = handler(sample("get_openapi"), context)
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, document())


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An origin whose pages may call the API."""
    monkeypatch.setenv("ALLOWED_ORIGIN", "https://app.example.org")
    forget_ports()
    yield "https://app.example.org"
    forget_ports()


def asked(sample: Sample) -> dict[str, Any]:
    path = "/models/bikes/feedback"
    return {**sample("get_openapi"), "httpMethod": "OPTIONS", "path": path, "resource": path}


def headers(answer: dict[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = answer["multiValueHeaders"]
    return {name: value for name, value in found.items() if name.startswith("access-control")}


def test_page_of_the_allowed_origin_gets_the_allowed_methods_and_headers(
    context: object, sample: Sample, origin: str
) -> None:
    answer = handler(asked(sample), context)
    assert answer["statusCode"] == 204
    assert headers(answer) == {
        "access-control-allow-origin": [origin],
        "access-control-allow-methods": ["GET, POST"],
        "access-control-allow-headers": ["content-type, x-api-key"],
        "access-control-max-age": ["600"],
    }


def test_its_answers_and_its_errors_can_be_read_there(context: object, sample: Sample, origin: str) -> None:
    for event in (sample("get_openapi"), {**sample("get_openapi"), "path": "/nothing"}):
        assert headers(handler(event, context)) == {"access-control-allow-origin": [origin]}


def test_without_an_allowed_origin_there_is_nothing_for_a_browser(context: object, sample: Sample) -> None:
    forget_ports()
    answer = handler(asked(sample), context)
    assert (answer["statusCode"], headers(answer)) == (404, {})

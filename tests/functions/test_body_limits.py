"""No body that a function takes is refused by the gateway: Lambda's event is JSON, in which the body is text."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from hindsight.ingestion.feedback_capture import MAX_FEEDBACK_BYTES
from hindsight.ingestion.prediction_log import MAX_PREDICTIONS_BYTES

LAMBDA_EVENT_BYTES = 6 * 1024 * 1024
# API Gateway's limit of a request's line and headers, which stand in the event twice.
HEADER_BYTES = 10_240

EMPTY_TEXTS = {f"{number:x}": "" for number in range(16)}
CATEGORIES = {f"category_{number}": "often" for number in range(40)}
NUMBERS = {f"{number:x}": 0.25 for number in range(16)}


@pytest.mark.parametrize("features", [EMPTY_TEXTS, CATEGORIES, NUMBERS])
@pytest.mark.parametrize("name", ["predict", "log_predictions"])
def test_largest_body_of_predictions_fits_into_the_event(
    sample: Callable[[str], dict[str, Any]], name: str, features: dict[str, Any]
) -> None:
    row = json.dumps({"features": features}, separators=(",", ":"))
    body = f'{{"instances":[{",".join([row] * (MAX_PREDICTIONS_BYTES // (len(row) + 1)))}]}}'
    assert len(body) > MAX_PREDICTIONS_BYTES * 0.99
    event = {**sample(name), "body": body}
    event["headers"], event["multiValueHeaders"] = {"cookie": "x" * HEADER_BYTES}, {"cookie": ["x" * HEADER_BYTES]}

    assert len(json.dumps(event)) <= LAMBDA_EVENT_BYTES


def test_largest_body_of_feedback_fits_into_the_event_even_of_quotes_alone() -> None:
    assert len(json.dumps('"' * MAX_FEEDBACK_BYTES)) + 2 * HEADER_BYTES <= LAMBDA_EVENT_BYTES

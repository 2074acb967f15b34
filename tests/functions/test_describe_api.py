import json
from collections.abc import Callable
from typing import Any

from functions.describe_api.app import handler
from local.openapi.document import document

Sample = Callable[[str], dict[str, Any]]


def test_the_sample_request_is_answered_with_the_document(context: object, sample: Sample) -> None:
    answer = handler(sample("describe_api"), context)
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, document())

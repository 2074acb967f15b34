"""The API held against its own OpenAPI document, with requests that Schemathesis makes of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local.client import StackClient
from local.openapi.document import document

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
_TIMEOUT_SECONDS = 60


@dataclass(slots=True)
class Conformance:
    """The number of requests made, and the deviations from the document."""

    cases: int = 0
    by_status: dict[int, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def conform(client: StackClient, model: str, cases: int, first_seed: int = 1) -> Conformance:
    """Make about so many requests, of every operation as many, and judge each answer by the document.

    Half of the names of models are that of one which is configured, so that not all of them end with a 404.
    """
    schema = schemathesis.openapi.from_dict(document())
    operations = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
    each = -(-cases // len(operations))
    found = Conformance()
    for number, operation in enumerate(operations):
        keys = operation.definition.raw["tags"]
        _ask(operation, client, (model, keys[0], each, first_seed + number), found)
    return found


def _ask(operation: Any, client: StackClient, plan: tuple[str, str, int, int], found: Conformance) -> None:
    model, audience, count, number = plan
    headers = {"x-api-key": client.stack.keys[audience]}
    session = requests.Session()

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        if found.cases % 2 and "model" in case.path_parameters:
            case.path_parameters["model"] = model
        response = case.call(
            base_url=client.stack.api_url.rstrip("/"), headers=headers, session=session, timeout=_TIMEOUT_SECONDS
        )
        found.cases += 1
        found.by_status[response.status_code] = found.by_status.get(response.status_code, 0) + 1
        try:
            case.validate_response(response, checks=CHECKS)
        except (Failure, FailureGroup) as failure:
            found.failures.extend(_messages(operation, case, response, failure))

    ask()


def _messages(operation: Any, case: Any, response: Any, failure: BaseException) -> Iterator[str]:
    failures = failure.exceptions if isinstance(failure, FailureGroup) else [failure]
    sent = json.dumps(case.body, default=str)[:300] if case.body is not None else ""
    for one in failures:
        yield (
            f"{operation.method.upper()} {operation.path}: {type(one).__name__}: {str(one)[:300]} "
            f"[{response.status_code} {response.text[:200]}] {case.path_parameters} {case.query} {sent}"
        )

"""The stack answers the tools people already have for local AWS endpoints."""

import pytest
from localstack_client import session

from local.deploy import has_parameters
from local.stack import SIMULATED_TIME, in_simulated_time
from local.state import Stack


def test_localstack_clients_find_the_stack(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", stack.endpoint_url)
    client = session.Session(aws_access_key_id="test", aws_secret_access_key="test").client("dynamodb")

    assert {stack.outputs["PredictionsTable"], stack.outputs["ModelsTable"]} <= set(client.list_tables()["TableNames"])


def test_a_stack_in_simulated_time_stays_as_it_is(stack: Stack) -> None:
    assert has_parameters(stack, SIMULATED_TIME)
    assert in_simulated_time(stack) is stack

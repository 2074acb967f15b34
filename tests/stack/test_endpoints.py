"""The stack answers the tools people already have for local AWS endpoints."""

from datetime import UTC, datetime

import pytest
from localstack_client import session

from local.client import StackClient
from local.stack import is_in_simulated_time, simulated_time
from local.state import Stack

LABELS = {"rules": [{"event": "outcome", "kind": "outcome", "window": "P1D"}]}


def test_localstack_clients_find_the_stack(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", stack.endpoint_url)
    client = session.Session(aws_access_key_id="test", aws_secret_access_key="test").client("dynamodb")

    assert {stack.outputs["PredictionsTable"], stack.outputs["ModelsTable"]} <= set(client.list_tables()["TableNames"])


def test_a_stack_in_simulated_time_stays_as_it_is(stack: Stack) -> None:
    assert is_in_simulated_time(stack)
    with simulated_time(stack, pytest.fail) as simulated:
        assert simulated is stack


def test_schedule_that_keeps_predict_warm_passes_over_a_model_without_a_version(client: StackClient) -> None:
    document = {"model": "kept-warm", "task": "binary", "features": {"x": {"type": "numeric"}}, "labels": LABELS}
    client.call("PUT", "models/kept-warm", key="operator", json=document)

    found = client.run_schedule("Predict", datetime(2026, 3, 1, tzinfo=UTC), model="kept-warm")

    assert found["models"] >= 1
    # Other tests' models may name artefacts that are none.
    assert "kept-warm" not in found["failures"]

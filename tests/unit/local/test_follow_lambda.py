"""The Lambda function to copy that follows a pointer: each move in order, at least once, whatever events come."""

import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from examples.outside import follow_lambda
from examples.outside.follow_lambda import handler

DONE = "/hindsight/churn/done"


class Stack:
    """The deployments of a model, and what the function made of them."""

    def __init__(self) -> None:
        self.count = 2
        self.ran: list[int] = []
        self.failing: set[int] = set()

    def open(self, request: Any, timeout: float) -> io.BytesIO:
        assert (request.full_url, timeout) == ("https://api/v1/models/churn/deployments?limit=1000", 30)
        assert request.headers == {"X-api-key": "operator"}
        made = [{"sequence": number, "change": "promoted", "to": f"v{number}"} for number in range(self.count, 0, -1)]
        return io.BytesIO(json.dumps({"deployments": made}).encode())

    def deploy(self, made: dict[str, Any]) -> None:
        self.ran.append(made["sequence"])
        if made["sequence"] in self.failing:
            raise OSError("no such version")


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    made = Stack()
    names = {"API": "https://api/v1", "OPERATOR_KEY": "operator", "MODEL": "churn", "DONE": DONE}
    for name, value in {**names, "AWS_DEFAULT_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("urllib.request.urlopen", made.open)
    monkeypatch.setattr(follow_lambda, "deploy", made.deploy)
    with mock_aws():
        boto3.client("ssm").put_parameter(Name=DONE, Value="0", Type="String")
        yield made


def test_each_move_runs_in_order_and_an_event_that_comes_twice_runs_nothing(stack: Stack) -> None:
    assert [handler({}, None), handler({}, None)] == [{"moves": 2}, {"moves": 0}]
    stack.count = 4
    handler({}, None)
    assert stack.ran == [1, 2, 3, 4]


def test_newest_move_that_fails_runs_again(stack: Stack) -> None:
    stack.failing = {2}
    with pytest.raises(OSError, match="no such version"):
        handler({}, None)
    stack.failing = set()
    handler({}, None)
    assert stack.ran == [1, 2, 2]


def test_move_that_fails_keeps_no_later_one_waiting(stack: Stack) -> None:
    stack.failing = {1}
    handler({}, None)
    assert handler({}, None) == {"moves": 0}
    assert stack.ran == [1, 2]

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from hindsight.adapters.aws.background import LambdaBackground
from hindsight.core.errors import Unavailable


def stubbed() -> tuple[LambdaBackground, Stubber]:
    client: Any = boto3.client("lambda", region_name="eu-west-1")
    return LambdaBackground("monitor", client), Stubber(client)


def test_an_invocation_is_asynchronous_and_carries_its_payload() -> None:
    background, stub = stubbed()
    asked = {"FunctionName": "monitor", "InvocationType": "Event", "Payload": b'{"detail":{"model":"m"}}'}
    stub.add_response("invoke", {"StatusCode": 202}, asked)
    with stub:
        background.start({"detail": {"model": "m"}})
    stub.assert_no_pending_responses()


def test_an_invocation_that_lambda_does_not_take_is_unavailable() -> None:
    background, stub = stubbed()
    stub.add_client_error("invoke", "TooManyRequestsException", "Rate exceeded", 429)
    with stub, pytest.raises(Unavailable, match="monitor could not be invoked"):
        background.start({})

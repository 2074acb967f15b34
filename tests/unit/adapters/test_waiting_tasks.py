"""Step Functions' answer for a task that does not wait is no error."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from hindsight.adapters.aws.state_machine import StepFunctionsTasks

TOKEN = "token-1"


@pytest.fixture
def client() -> Any:
    return boto3.client("stepfunctions", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")


def test_a_waiting_task_goes_on_with_the_output(client: Any) -> None:
    with Stubber(client) as stub:
        stub.add_response("send_task_success", {}, {"taskToken": TOKEN, "output": '{"approved":true}'})
        assert StepFunctionsTasks(client).answer(TOKEN, {"approved": True})
        stub.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_task_that_waits_no_longer_is_reported(client: Any, code: str) -> None:
    with Stubber(client) as stub:
        stub.add_client_error("send_task_success", code)
        assert not StepFunctionsTasks(client).answer(TOKEN, {"approved": True})


def test_any_other_error_is_one(client: Any) -> None:
    with Stubber(client) as stub:
        stub.add_client_error("send_task_success", "AccessDeniedException")
        with pytest.raises(ClientError):
            StepFunctionsTasks(client).answer(TOKEN, {"approved": True})

"""API Gateway's control plane as a source of keys: what it refuses is to be tried again, what is gone is gone."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from hindsight.adapters.aws.api_keys import ApiGatewayKeys
from hindsight.core.errors import Unavailable


@mock_aws
def test_value_of_a_key_is_read_and_one_that_is_gone_is_none() -> None:
    client: Any = boto3.client("apigateway", region_name="eu-west-1")
    made = client.create_api_key(name="app", enabled=True)
    keys = ApiGatewayKeys(client)
    assert keys.value(made["id"]) == made["value"]
    client.delete_api_key(apiKey=made["id"])
    assert keys.value(made["id"]) is None


def test_throttled_control_plane_is_unavailable() -> None:
    client: Any = boto3.client(
        "apigateway", region_name="eu-west-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    with Stubber(client) as stubber:
        stubber.add_client_error("get_api_key", "TooManyRequestsException", http_status_code=429)
        with pytest.raises(Unavailable):
            ApiGatewayKeys(client).value("a1")

"""The composition root: the only place that reads the environment and names ``boto3.client``.

Each function asks for the ports it needs; a port is built once in the life of the process. Nothing imported here
needs numpy, so that capture and join start without it.
"""

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from shared.aws.api_keys import ApiKeyring, parse_key_ids
from shared.aws.configuration_table import DynamoConfigurations
from shared.aws.lake import S3Lake
from shared.aws.state_machine import StepFunctions
from shared.aws.trigger_table import DynamoTriggers
from shared.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

_RETRIES = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=3, read_timeout=30)


@cache
def settings() -> Settings:
    """Return the deployment's settings."""
    return Settings(dict(os.environ))


@cache
def api_keyring() -> ApiKeyring:
    """Return the API keys by audience."""
    return ApiKeyring(parse_key_ids(settings().environment["AUDIENCE_KEYS"]), _client("apigateway"))


@cache
def configurations() -> DynamoConfigurations:
    """Return the models' configurations."""
    return DynamoConfigurations(settings().models_table, _dynamodb())


@cache
def lake() -> S3Lake:
    """Return the lake."""
    return S3Lake(settings().lake_bucket, _s3())


@cache
def state_machine() -> StepFunctions:
    """Return the retraining state machine."""
    return StepFunctions(settings().state_machine_arn, _client("stepfunctions"))


@cache
def trigger_store() -> DynamoTriggers:
    """Return the trigger states and decisions."""
    return DynamoTriggers(settings().models_table, _dynamodb())


def _dynamodb() -> "DynamoDBClient":
    client: DynamoDBClient = _client("dynamodb")
    return client


def _s3() -> "S3Client":
    client: S3Client = _client("s3")
    return client


@cache
def _client(service: str) -> Any:
    return boto3.client(service, config=_RETRIES)  # type: ignore[call-overload]

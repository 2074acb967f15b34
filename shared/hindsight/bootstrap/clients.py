"""The environment and the clients of AWS: the only place that reads the one and names ``boto3.client``."""

import os
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from hindsight.bootstrap.settings import InvalidSettings, Names, Settings, SettingsT, read_settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 5},
    connect_timeout=3,
    read_timeout=30,
    # A quarter of the time of a call on a small Lambda; the adapters' types and contract suites check what is sent.
    parameter_validation=False,
)


@cache
def environment() -> Mapping[str, str]:
    """Read the environment."""
    return dict(os.environ)


def settings(kind: type[SettingsT]) -> SettingsT:
    """Read a part of the deployment's settings, once in the life of the process. Raises InvalidSettings."""
    found = _settings(kind)
    assert isinstance(found, kind)
    return found


@cache
def _settings(kind: type[Settings]) -> Settings:
    return read_settings(kind, environment())


def name_of(field: str) -> str:
    """Read one of the deployment's names that this function needs. Raises InvalidSettings."""
    name: str = getattr(settings(Names), field)
    if not name:
        raise InvalidSettings(f"{field.upper()} is not set")
    return name


def allowed_origin() -> str:
    """Read the origin whose pages may call the API from a browser, empty for none."""
    return settings(Names).allowed_origin


def dynamodb() -> "DynamoDBClient":
    """Build the client of DynamoDB."""
    made: DynamoDBClient = client("dynamodb")
    return made


@cache
def s3() -> "S3Client":
    """Build the client of S3; its presigned links work for any holder."""
    # A link is signed for its host: the global endpoint would redirect it to the region's, where it holds no longer.
    # Newer regions take no older signature. An endpoint that is not AWS's has no names for buckets.
    is_foreign = environment().get("AWS_ENDPOINT_URL_S3") or environment().get("AWS_ENDPOINT_URL")
    regional = Config(
        signature_version="s3v4",
        # As many as read the lake side by side; beyond it every read would open another connection.
        max_pool_connections=32,
        s3={"addressing_style": "path" if is_foreign else "virtual", "us_east_1_regional_endpoint": "regional"},
    )
    return boto3.client("s3", config=_CONFIG.merge(regional))


@cache
def client(service: str) -> Any:
    """Build the client of a service."""
    return boto3.client(service, config=_CONFIG)  # type: ignore[call-overload]


@cache
def impatient_client(service: str) -> Any:
    """Build the client of a service that is asked once and not waited for: of what gives few calls to an account."""
    once = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=1, read_timeout=2)
    return boto3.client(service, config=_CONFIG.merge(once))  # type: ignore[call-overload]

"""A deployment set going in this process: its environment, its stores, and every client under the meter."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import boto3
from moto import mock_aws
from moto.core import botocore_stubber

from bench.cost.account import Account
from bench.cost.events import Event
from bench.cost.lambdas import Function, functions_of
from bench.cost.meter import Meter
from bench.cost.plain import plain_client
from bench.cost.transactions import quick_queries, quick_transactions
from local.transformed import Deployment


@contextmanager
def running(deployment: Deployment, start: datetime) -> Iterator[Account]:
    """Run a deployment in this process; its modules must not have been imported before."""
    place = deployment.place
    functions = {
        f"arn:aws:lambda:{place.region}:{place.account}:function:{found.deployed}": found
        for found in functions_of(deployment)
    }
    account = Account(deployment, Meter(), start.timestamp(), functions)
    os.environ.update(_environment(functions, place.region))
    before, sys.stdout = sys.stdout, account.out
    account.out.on_metrics = lambda record: _embedded(account, record)
    stub = botocore_stubber.BotocoreStubber.__call__

    def apart(self: Any, *arguments: Any, **named: Any) -> Any:
        return account.meter.without(lambda: stub(self, *arguments, **named))

    botocore_stubber.BotocoreStubber.__call__ = apart  # type: ignore[method-assign]
    try:
        with mock_aws(), quick_transactions(), quick_queries():
            boto3.setup_default_session(region_name=place.region)
            _make_stores(account)
            events = boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]
            events.register("before-parameter-build", lambda params, context, **_: context.update(asked=params))
            events.register("before-call", account.before_call)
            events.register("after-call", account.after_call)
            yield account
    finally:
        botocore_stubber.BotocoreStubber.__call__ = stub  # type: ignore[method-assign]
        sys.stdout = before


def _embedded(account: Account, record: Event) -> None:
    for directive in record["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            for metric in directive["Metrics"]:
                account.meter.see_metric(metric["Name"], {name: record[name] for name in names}, account.now)


def _environment(functions: Mapping[str, Function], region: str) -> dict[str, str]:
    merged: dict[str, str] = {}
    for function in functions.values():
        for name, value in function.environment.items():
            if merged.setdefault(name, str(value)) != str(value):
                msg = f"{name} is not the same for all functions"
                raise ValueError(msg)
    keys = {"AWS_ACCESS_KEY_ID": "simulated", "AWS_SECRET_ACCESS_KEY": "simulated"}  # nosec
    return {**merged, **keys, "AWS_DEFAULT_REGION": region, "POWERTOOLS_TRACE_DISABLED": "true"}


def _make_stores(account: Account) -> None:
    wanted = ("TableName", "BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    for name, table in account.deployment.of("AWS::DynamoDB::Table").items():
        deployed = account.deployment.resources[name]["Name"]
        given = {key: table[key] for key in wanted if key in table} | {"TableName": deployed}
        plain_client("dynamodb").create_table(**given)
        account.meter.indexes[deployed] = table.get("GlobalSecondaryIndexes", [])
    plain_client("s3").create_bucket(Bucket=account.bucket)

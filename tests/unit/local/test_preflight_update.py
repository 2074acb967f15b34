"""Checks of a stack before an update, against stacks of moto's."""

import argparse
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.commands import preflight
from local.preflight.check import Account, Check, Probe, Verdict, run_checks
from local.preflight.leftovers import check_leftovers
from local.preflight.quotas import check_concurrency, check_firehose
from local.preflight.stack import check_lake
from local.transformed import Deployment, Place, deployment

REGION = "eu-central-1"
ACCOUNT = "123456789012"
EARLIER = f"hindsight-lake-{ACCOUNT}-{REGION}"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


def planned(**parameters: str) -> Deployment:
    return deployment(parameters, Place("hindsight", REGION, ACCOUNT))


def check(probe: Probe, plan: Deployment, **clients: Any) -> list[Check]:
    return run_checks(Account(lambda service: clients.get(service) or boto3.client(service)), plan, [probe])


def stack(lake: str, **parameters: str) -> None:
    """Create a stack that has a lake of this name, and these parameters."""
    body = {
        "Parameters": {name: {"Type": "String"} for name in parameters},
        "Resources": {"LakeBucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": lake}}},
    }
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    boto3.client("cloudformation").create_stack(StackName="hindsight", TemplateBody=json.dumps(body), Parameters=given)


def test_update_that_would_put_an_empty_lake_in_the_place_of_the_stack_s_fails() -> None:
    stack(EARLIER)

    (found,) = check(check_lake, planned())

    assert found.verdict is Verdict.FAILURE
    assert found.mend == f"deploy with LakeBucketName={EARLIER}"


def test_update_that_names_the_stack_s_lake_keeps_it() -> None:
    stack(EARLIER)

    (found,) = check(check_lake, planned(LakeBucketName=EARLIER))

    assert found.verdict is Verdict.OK


def test_new_stack_has_no_lake_to_keep() -> None:
    assert check(check_lake, planned()) == []


def test_tables_and_lakes_of_a_stack_whose_name_only_begins_alike_are_none_of_ours() -> None:
    for name in ("hindsight-prod-PredictionsTable-1ABC", "hindsight-prod-ModelsTable-1ABC", "hindsight-orders"):
        boto3.client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
    for name in ("hindsight-prod-lake-0a1b2c3d", "hindsight-lake-of-another"):
        boto3.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    assert [one.verdict for one in check(check_leftovers, planned())] == [Verdict.OK]


def test_lake_of_an_earlier_release_is_a_leftover_too() -> None:
    boto3.client("s3").create_bucket(Bucket=EARLIER, CreateBucketConfiguration={"LocationConstraint": REGION})

    (found,) = check(check_leftovers, planned())

    assert (found.verdict, EARLIER in found.found) == (Verdict.WARNING, True)


class Reserving:
    """Lambda in an account of 200, of which the stack's authorizer may hold some already; moto has no settings."""

    def __init__(self, held: int) -> None:
        self.held = held

    def get_account_settings(self) -> dict[str, Any]:
        return {"AccountLimit": {"ConcurrentExecutions": 200, "UnreservedConcurrentExecutions": 200 - self.held}}

    def get_function_concurrency(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == "hindsight-authorize"
        return {"ReservedConcurrentExecutions": self.held}


class Deployed:
    """CloudFormation with a stack that is there, whose functions bear their own names."""

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        return {"Stacks": [{"StackStatus": "UPDATE_COMPLETE"}]}

    def describe_stack_resource(self, **asked: str) -> dict[str, Any]:
        name = (
            "hindsight-authorize" if asked["LogicalResourceId"] == "AuthorizeFunction" else asked["LogicalResourceId"]
        )
        return {"StackResourceDetail": {"PhysicalResourceId": name}}


def reserved(held: int, wanted: str, **clients: Any) -> list[str]:
    found = check(check_concurrency, planned(AuthorizerConcurrency=wanted), **{"lambda": Reserving(held), **clients})
    return [one.name for one in found if one.verdict is Verdict.FAILURE]


def test_redeployed_stack_may_reserve_its_present_concurrency() -> None:
    assert reserved(0, "60") == []
    assert reserved(60, "60", cloudformation=Deployed()) == []
    assert reserved(60, "101", cloudformation=Deployed()) == ["Reserved concurrency"]


@pytest.mark.parametrize(
    ("calls", "verdict"), [("1000", Verdict.OK), ("1001", Verdict.WARNING), ("3000", Verdict.WARNING)]
)
def test_apps_may_not_make_more_calls_than_firehose_takes_requests(calls: str, verdict: Verdict) -> None:
    (found,) = check(check_firehose, planned(AppRequestsPerSecond=calls))

    assert found.verdict is verdict


class Settings(Reserving):
    def get_account_settings(self) -> dict[str, Any]:
        limits = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000, "TotalCodeSize": 75 * 1024**3}
        return {"AccountLimit": limits, "AccountUsage": {"TotalCodeSize": 0}}


class Throttle:
    def get_account(self) -> dict[str, Any]:
        return {"throttleSettings": {"rateLimit": 10_000.0, "burstLimit": 5_000}}


def reported(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    asked = {"lambda": Settings(0), "apigateway": Throttle()}
    monkeypatch.setattr(preflight, "_client", lambda session, service: asked.get(service) or session.client(service))
    parser = argparse.ArgumentParser()
    preflight.add_arguments(parser)
    preflight.run(parser.parse_args(["--json", *words]))
    return {one["name"]: one for one in json.loads(capsys.readouterr().out)}


def test_command_takes_the_parameters_that_an_update_keeps(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack(EARLIER, LakeBucketName=EARLIER, AppRequestsPerSecond="3000", OfAnEarlierRelease="x")

    found = reported(monkeypatch, capsys)

    assert (found["Lake"]["verdict"], found["Firehose rate"]["verdict"]) == ("ok", "warning")
    assert reported(monkeypatch, capsys, "--parameter", "AppRequestsPerSecond=500")["Firehose rate"]["verdict"] == "ok"


def test_command_knows_the_name_that_the_stack_makes_up_for_its_lake(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack(EARLIER)
    made = boto3.client("cloudformation").describe_stacks(StackName="hindsight")["Stacks"][0]["StackId"]

    found = reported(monkeypatch, capsys)["Lake"]

    assert found["verdict"] == "failure"
    assert f"hindsight-lake-{made.rpartition('/')[2].split('-')[0]}" in found["found"]

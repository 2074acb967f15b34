"""Checks of an account before a deployment, against accounts of moto's."""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local import preflight as package
from local.commands import preflight
from local.preflight.check import Account, Verdict, run_checks
from local.preflight.key import check_key
from local.preflight.leftovers import check_leftovers
from local.preflight.names import check_names
from local.preflight.people import check_notifications
from local.preflight.probes import PROBES
from local.preflight.quotas import (
    check_concurrency,
)
from local.preflight.stack import check_stack
from tests.unit.local.accounts import ACCOUNT, REGION, Settings, Throttle, check, checks, command, planned

TOPIC_ALONE = {
    "Resources": {"OperationsTopic": {"Type": "AWS::SNS::Topic"}},
}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("hindsight", Verdict.OK), ("Hindsight", Verdict.FAILURE), ("h" * 64, Verdict.FAILURE)],
)
def test_names_that_do_not_fit_are_reported(name: str, verdict: Verdict) -> None:
    assert check(check_names, planned(stack_name=name)).verdict is verdict


def test_new_name_meets_no_stack_and_nothing_left_over() -> None:
    assert check(check_stack, planned()).verdict is Verdict.OK
    assert check(check_leftovers, planned()).verdict is Verdict.OK


def test_updatable_stack_is_distinguished_from_leftovers() -> None:
    boto3.client("cloudformation").create_stack(StackName="hindsight", TemplateBody=json.dumps(TOPIC_ALONE))

    assert "will be updated" in check(check_stack, planned()).found
    assert checks(check_leftovers, planned()) == []


@pytest.mark.parametrize(
    ("status", "mend"),
    [
        ("ROLLBACK_COMPLETE", "delete-stack"),
        ("DELETE_FAILED", "delete-stack"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
        ("UPDATE_IN_PROGRESS", "wait"),
    ],
)
def test_stack_that_cannot_be_updated_names_the_remedy(status: str, mend: str) -> None:
    class Stacks:
        def describe_stacks(self, **_: str) -> dict[str, Any]:
            return {"Stacks": [{"StackStatus": status}]}

    found = check(check_stack, planned(), cloudformation=Stacks())

    assert (found.verdict, mend in found.mend) == (Verdict.FAILURE, True)


def test_bucket_whose_name_was_given_and_that_exists_fails_the_deployment() -> None:
    boto3.client("s3").create_bucket(Bucket="lake-of-old", CreateBucketConfiguration={"LocationConstraint": REGION})

    found = check(check_leftovers, planned(LakeBucketName="lake-of-old"))

    assert (found.verdict, "lake-of-old" in found.found) == (Verdict.FAILURE, True)


def test_lake_kept_by_an_earlier_stack_is_named_and_blocks_nothing() -> None:
    for name in ("hindsight-lake-12ab34cd", "hindsight-lake-house"):
        boto3.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    found = check(check_leftovers, planned())

    assert found.verdict is Verdict.WARNING
    assert "hindsight-lake-12ab34cd" in found.found
    assert "hindsight-lake-house" not in found.found


def test_tables_that_an_earlier_stack_kept_are_named() -> None:
    boto3.client("dynamodb").create_table(
        TableName="hindsight-PredictionsTable-1ABC",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )

    found = check(check_leftovers, planned())

    assert (found.verdict, "hindsight-PredictionsTable-1ABC" in found.found) == (Verdict.WARNING, True)


@pytest.mark.parametrize("kind", ["state machine", "event bus", "Glue database", "log group"])
def test_any_resource_with_a_name_of_the_stack_fails_the_deployment(kind: str) -> None:
    plan = planned()
    if kind == "state machine":
        role = f"arn:aws:iam::{ACCOUNT}:role/any"
        (name,) = [
            one["StateMachineName"]
            for one in plan.of("AWS::StepFunctions::StateMachine").values()
            if "StateMachineName" in one
        ]
        boto3.client("stepfunctions").create_state_machine(
            name=name, definition=json.dumps({"StartAt": "a", "States": {"a": {"Type": "Succeed"}}}), roleArn=role
        )
    elif kind == "event bus":
        boto3.client("events").create_event_bus(Name="hindsight-events")
    elif kind == "log group":
        boto3.client("logs").create_log_group(logGroupName="/aws/vendedlogs/states/hindsight-retraining")
    else:
        boto3.client("glue").create_database(DatabaseInput={"Name": "hindsight"})

    found = check(check_leftovers, plan)

    assert (found.verdict, kind in found.found) == (Verdict.FAILURE, True)


def test_alarms_without_an_address_have_no_recipient() -> None:
    assert check(check_notifications, planned()).verdict is Verdict.WARNING
    assert check(check_notifications, planned(NotificationEmail="ops@example.org")).verdict is Verdict.OK


def test_address_that_has_not_confirmed_is_named() -> None:
    boto3.client("cloudformation").create_stack(StackName="hindsight", TemplateBody=json.dumps(TOPIC_ALONE))

    class Topics:
        def get_paginator(self, _: str) -> "Topics":
            return self

        def paginate(self, TopicArn: str) -> list[dict[str, Any]]:  # noqa: N803
            assert ":hindsight-OperationsTopic" in TopicArn
            return [{"Subscriptions": [{"SubscriptionArn": "PendingConfirmation", "Endpoint": "ops@example.org"}]}]

    found = check(check_notifications, planned(), sns=Topics())

    assert (found.verdict, "ops@example.org" in found.found) == (Verdict.WARNING, True)


def test_confirmed_address_is_reported() -> None:
    boto3.client("cloudformation").create_stack(StackName="hindsight", TemplateBody=json.dumps(TOPIC_ALONE))
    topics = boto3.client("sns")
    (topic,) = [one["TopicArn"] for one in topics.list_topics()["Topics"]]
    topics.subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@example.org")

    assert check(check_notifications, planned()).verdict is Verdict.OK


def key(services: list[str], **more: Any) -> str:
    more = {"KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": "SYMMETRIC_DEFAULT", **more}
    statement = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "kms:*", "Resource": "*"}
    arn: str = boto3.client("kms").create_key(
        Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}), **more
    )["KeyMetadata"]["Arn"]
    return arn


ALL_SERVICES = [
    *(f"{name}.amazonaws.com" for name in ("s3", "sns", "events", "cloudwatch", "firehose")),
    f"logs.{REGION}.amazonaws.com",
]


def test_key_whose_policy_names_every_service_will_do() -> None:
    assert check(check_key, planned(KmsKeyArn=key(ALL_SERVICES))).verdict is Verdict.OK


def test_service_that_a_key_s_policy_forgets_is_named() -> None:
    found = check(check_key, planned(KmsKeyArn=key(ALL_SERVICES[:-1])))

    assert (found.verdict, f"logs.{REGION}" in found.found) == (Verdict.FAILURE, True)


def test_key_for_signing_will_not_do() -> None:
    arn = key(ALL_SERVICES, KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")

    assert check(check_key, planned(KmsKeyArn=arn)).verdict is Verdict.FAILURE


def test_key_of_another_region_or_that_does_not_exist_will_not_do() -> None:
    for region in ("us-east-1", REGION):
        arn = f"arn:aws:kms:{region}:{ACCOUNT}:key/0a1b2c3d-1111-2222-3333-444455556666"
        assert check(check_key, planned(KmsKeyArn=arn)).verdict is Verdict.FAILURE


def test_without_a_key_there_is_nothing_to_check() -> None:
    assert checks(check_key, planned()) == []


def test_forbidden_check_is_unknown_and_the_rest_is_checked() -> None:
    class Forbidden:
        def get_account_settings(self) -> None:
            raise boto3.client("lambda").exceptions.ClientError(
                {"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetAccountSettings"
            )

    found = run_checks(
        Account(lambda service: Forbidden() if service == "lambda" else boto3.client(service)),
        planned(),
        [check_concurrency, check_names],
    )

    assert [one.verdict for one in found] == [Verdict.UNKNOWN, Verdict.OK]
    assert "GetAccountSettings" in found[0].mend


def test_every_probe_is_run_by_the_command() -> None:
    modules = [
        importlib.import_module(f"{package.__name__}.{found.name}") for found in pkgutil.iter_modules(package.__path__)
    ]
    written = {value for module in modules for name, value in vars(module).items() if name.startswith("check_")}

    assert written == set(PROBES)


def test_command_without_a_region_says_how_to_give_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")

    assert command() == 2
    assert "--region" in capsys.readouterr().err


def test_command_without_credentials_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("botocore.credentials.CredentialResolver.load_credentials", lambda _: None)

    assert command() == 2
    assert "redentials" in capsys.readouterr().err


@pytest.mark.parametrize(("concurrency", "status"), [(1000, 0), (10, 0)])
def test_command_prints_every_check_and_fails_only_where_the_deployment_would(
    concurrency: int, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"lambda": Settings(concurrency=concurrency), "apigateway": Throttle(10_000)}
    monkeypatch.setattr(preflight, "_client", lambda session, service: asked.get(service) or session.client(service))

    assert command("--json") == status
    reported = json.loads(capsys.readouterr().out)
    (found_concurrency,) = (one["found"] for one in reported if one["name"] == "Lambda concurrency")
    assert "tick 1 (of models: 1)" in found_concurrency
    assert {"Stack", "Names", "Lambda memory", "Firehose rate", "Alarms by mail"} <= {one["name"] for one in reported}
    assert command() == status
    assert "Names" in capsys.readouterr().out


def test_command_fails_where_the_deployment_would(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"lambda": Settings(), "apigateway": Throttle(10_000)}
    monkeypatch.setattr(preflight, "_client", lambda session, service: asked.get(service) or session.client(service))

    assert command("--stack-name", "Hindsight") == 1
    assert "will fail" in capsys.readouterr().out

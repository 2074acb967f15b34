"""What an account is asked before a deployment, against accounts of moto's."""

import argparse
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
from local.preflight.check import Account, Check, Probe, Verdict, run_checks
from local.preflight.key import check_key
from local.preflight.leftovers import check_leftovers
from local.preflight.names import check_names
from local.preflight.people import check_notifications
from local.preflight.probes import PROBES
from local.preflight.quotas import (
    CALLS_AT_ONCE,
    check_api_gateway,
    check_code_storage,
    check_concurrency,
    check_firehose,
    check_memory,
    consumers_of,
    relabelling_workers,
)
from local.preflight.stack import check_stack
from local.schedules import most_at_a_tick
from local.transformed import Deployment, Place, deployment

REGION = "eu-central-1"
ACCOUNT = "123456789012"
TOPIC_ALONE = {
    "Resources": {"OperationsTopic": {"Type": "AWS::SNS::Topic"}},
}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


class Settings:
    """What Lambda tells of an account; moto does not."""

    def __init__(self, concurrency: int = 1000, reserved: int = 0, code: int = 0) -> None:
        self.settings = {
            "AccountLimit": {
                "ConcurrentExecutions": concurrency,
                "UnreservedConcurrentExecutions": concurrency - reserved,
                "TotalCodeSize": 75 * 1024**3,
            },
            "AccountUsage": {"TotalCodeSize": code},
        }

    def get_account_settings(self) -> dict[str, Any]:
        return self.settings


class Throttle:
    """What API Gateway tells of an account; moto does not."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def get_account(self) -> dict[str, Any]:
        return {"throttleSettings": {"rateLimit": self.rate, "burstLimit": int(self.rate / 2)}}


def planned(region: str = REGION, stack_name: str = "hindsight", **parameters: str) -> Deployment:
    return deployment(parameters, Place(stack_name, region, ACCOUNT))


def checks(probe: Probe, plan: Deployment, **clients: Any) -> list[Check]:
    return run_checks(
        Account(lambda service: clients.get(service.replace("-", "_")) or boto3.client(service)), plan, [probe]
    )


def check(probe: Probe, plan: Deployment, **clients: Any) -> Check:
    (found,) = checks(probe, plan, **clients)
    return found


def test_new_account_is_told_that_consumers_would_starve_the_api() -> None:
    found = check(check_concurrency, planned(), **{"lambda": Settings(concurrency=10)})

    assert found.verdict is Verdict.WARNING
    assert "L-B99A9384" in found.mend


def test_usual_concurrency_suffices_for_every_consumer_and_calls() -> None:
    assert consumers_of(planned()) >= 10
    assert check(check_concurrency, planned(), **{"lambda": Settings()}).verdict is Verdict.OK


@pytest.mark.parametrize(("concurrency", "workers"), [("2", 2), ("12", 12), ("500", 40)])
def test_relabelling_takes_as_many_invocations_as_a_queue_and_forty_at_most(concurrency: str, workers: int) -> None:
    assert relabelling_workers(planned(ConsumerConcurrency=concurrency)) == workers


def test_account_with_room_for_consumers_alone_is_told_that_a_relabelling_leaves_none_for_calls() -> None:
    plan = planned()
    without = consumers_of(plan) + most_at_a_tick(plan, models=1) + CALLS_AT_ONCE
    found = check(check_concurrency, plan, **{"lambda": Settings(concurrency=without)})
    assert found.verdict is Verdict.WARNING
    assert f"a relabelling {relabelling_workers(plan)}" in found.found
    enough = Settings(concurrency=without + relabelling_workers(plan))
    assert check(check_concurrency, plan, **{"lambda": enough}).verdict is Verdict.OK


@pytest.mark.parametrize(("models", "verdict"), [(1, Verdict.OK), (960, Verdict.OK), (980, Verdict.WARNING)])
def test_models_whose_schedule_would_take_all_concurrency_are_told(models: int, verdict: Verdict) -> None:
    settings = Settings()
    account = Account(lambda service: settings if service == "lambda" else boto3.client(service), models)
    (found,) = run_checks(account, planned(), [check_concurrency])
    assert found.verdict is verdict
    assert f"(of models: {models})" in found.found


def test_command_refuses_less_than_one_model(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command("--models", "0")
    assert "--models" in capsys.readouterr().err


def test_concurrency_reserved_by_other_functions_does_not_count() -> None:
    assert check(check_concurrency, planned(), **{"lambda": Settings(reserved=990)}).verdict is Verdict.WARNING


def test_default_memory_fits_a_new_account() -> None:
    assert check(check_memory, planned(), **{"lambda": Settings(concurrency=10)}).verdict is Verdict.OK


@pytest.mark.parametrize(("concurrency", "verdict"), [(10, Verdict.FAILURE), (1000, Verdict.WARNING)])
def test_more_memory_than_a_new_account_gives_is_told(concurrency: int, verdict: Verdict) -> None:
    found = check(check_memory, planned(WorkMemory="10240"), **{"lambda": Settings(concurrency=concurrency)})

    assert found.verdict is verdict
    assert "WorkMemory=3008" in found.mend


@pytest.mark.parametrize(("used", "verdict"), [(0, Verdict.OK), (75 * 1024**3 - 1024, Verdict.FAILURE)])
def test_full_code_storage_is_told(used: int, verdict: Verdict) -> None:
    assert check(check_code_storage, planned(), **{"lambda": Settings(code=used)}).verdict is verdict


@pytest.mark.parametrize(
    ("region", "calls", "verdict"),
    [
        ("us-east-1", "2000", Verdict.OK),
        ("eu-central-1", "500", Verdict.OK),
        ("eu-central-1", "10000", Verdict.WARNING),
    ],
)
def test_apps_may_not_send_more_than_firehose_takes(region: str, calls: str, verdict: Verdict) -> None:
    assert check(check_firehose, planned(region, AppRequestsPerSecond=calls)).verdict is verdict


@pytest.mark.parametrize(("rate", "verdict"), [(10_000.0, Verdict.OK), (100.0, Verdict.WARNING)])
def test_throttle_below_what_apps_are_allowed_is_told(rate: float, verdict: Verdict) -> None:
    assert check(check_api_gateway, planned(), apigateway=Throttle(rate)).verdict is verdict


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("hindsight", Verdict.OK), ("Hindsight", Verdict.FAILURE), ("h" * 64, Verdict.FAILURE)],
)
def test_names_that_do_not_fit_are_told(name: str, verdict: Verdict) -> None:
    assert check(check_names, planned(stack_name=name)).verdict is verdict


def test_new_name_meets_no_stack_and_nothing_left_over() -> None:
    assert check(check_stack, planned()).verdict is Verdict.OK
    assert check(check_leftovers, planned()).verdict is Verdict.OK


def test_stack_that_can_be_updated_is_told_apart_from_leftovers() -> None:
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
def test_stack_that_cannot_be_updated_says_what_to_do(status: str, mend: str) -> None:
    class Stacks:
        def describe_stacks(self, **_: str) -> dict[str, Any]:
            return {"Stacks": [{"StackStatus": status}]}

    found = check(check_stack, planned(), cloudformation=Stacks())

    assert (found.verdict, mend in found.mend) == (Verdict.FAILURE, True)


def test_bucket_whose_name_was_given_and_that_exists_fails_the_deployment() -> None:
    boto3.client("s3").create_bucket(Bucket="lake-of-old", CreateBucketConfiguration={"LocationConstraint": REGION})

    found = check(check_leftovers, planned(LakeBucketName="lake-of-old"))

    assert (found.verdict, "lake-of-old" in found.found) == (Verdict.FAILURE, True)


def test_lake_that_an_earlier_stack_kept_is_named_and_in_nobody_s_way() -> None:
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
def test_whatever_holds_a_name_of_the_stack_fails_the_deployment(kind: str) -> None:
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


def test_without_an_address_nobody_hears_the_alarms() -> None:
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


def test_confirmed_address_is_told() -> None:
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


def test_what_the_credentials_may_not_ask_is_unknown_and_the_rest_is_asked() -> None:
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


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    preflight.add_arguments(parser)
    return preflight.run(parser.parse_args(words))


def test_command_names_a_parameter_that_the_template_does_not_have(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--parameter", "NotificationMail=ops@example.org") == 2
    assert "NotificationMail" in capsys.readouterr().err


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
    told = json.loads(capsys.readouterr().out)
    (concurrency_told,) = (one["found"] for one in told if one["name"] == "Lambda concurrency")
    assert "tick 1 (of models: 1)" in concurrency_told
    assert {"Stack", "Names", "Lambda memory", "Firehose rate", "Alarms by mail"} <= {one["name"] for one in told}
    assert command() == status
    assert "Names" in capsys.readouterr().out


def test_command_fails_where_the_deployment_would(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"lambda": Settings(), "apigateway": Throttle(10_000)}
    monkeypatch.setattr(preflight, "_client", lambda session, service: asked.get(service) or session.client(service))

    assert command("--stack-name", "Hindsight") == 1
    assert "will fail" in capsys.readouterr().out

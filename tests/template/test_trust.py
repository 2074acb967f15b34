"""Trust policies of roles: a service, and for this account alone where the service names the caller's account."""

from typing import Any

import pytest

from local.rights import role_of
from local.transformed import LABELS, Deployment, deployment

PARAMETERS = {"TrainingEngine": "sagemaker", "TrainingImage": LABELS["TrainingImage"], "SnapshotEngine": "athena"}


@pytest.fixture(scope="module")
def deployed() -> Deployment:
    return deployment(PARAMETERS)


def trusted(role: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Find the one service that may take on a role, and under which conditions."""
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    service = statement["Principal"]["Service"]
    return service if isinstance(service, str) else service[0], statement.get("Condition", {}).get("StringEquals", {})


def test_every_service_but_lambda_takes_on_a_role_for_this_account_alone(deployed: Deployment) -> None:
    services = set[str]()
    for name, role in deployed.of("AWS::IAM::Role").items():
        service, condition = trusted(role)
        services.add(service)
        if service == "lambda.amazonaws.com":
            continue
        key = "sts:ExternalId" if service == "firehose.amazonaws.com" else "aws:SourceAccount"
        assert condition.get(key) == deployed.place.account, name
    assert services == {f"{one}.amazonaws.com" for one in ("firehose", "lambda", "sagemaker", "scheduler", "states")}


def test_every_schedule_has_a_role_that_may_start_its_function_and_keep_failures(deployed: Deployment) -> None:
    schedules = deployed.of("AWS::Scheduler::Schedule")
    role = role_of(deployed, "SchedulesRole")
    started = set()
    for schedule in schedules.values():
        target = schedule["Target"]
        assert target["RoleArn"] == deployed.resources["SchedulesRole"]["Arn"]
        assert role.may("lambda:InvokeFunction", target["Arn"])
        assert role.may("sqs:SendMessage", target["DeadLetterConfig"]["Arn"])
        started.add(target["Arn"])
    given = {resource for one in role.inline if "lambda:InvokeFunction" in one.actions for resource in one.resources}
    assert given == started

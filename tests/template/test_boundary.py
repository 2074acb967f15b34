"""The rules of boundaries find what they are for: a right on or of another stack's, and one that is missing."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from local.account_rules.boundaries import (
    boundary_stands_in_the_way,
    managed_policies_reach_beyond,
    services_send_for_others,
)
from local.transformed import Deployment, Place, deployment

Statements = list[dict[str, Any]]
LONGEST_NAMES = Place(stack_name="a" * 40, region="ap-southeast-7")


def bounded(change: Callable[[Statements], Statements]) -> Deployment:
    """Change the statements of the functions' boundary."""
    found = deployment()
    boundary = copy.deepcopy(found.resources["FunctionBoundary"])
    document = boundary["Properties"]["PolicyDocument"]
    document["Statement"] = change(document["Statement"])
    return Deployment(found.parameters, found.place, {**found.resources, "FunctionBoundary": boundary})


def without(service: str) -> Callable[[Statements], Statements]:
    return lambda statements: [one for one in statements if not str(one["Action"]).lstrip("['").startswith(service)]


@pytest.mark.parametrize(
    ("service", "consumers"),
    [
        ("logs", ["PredictFunction", "AuthorizeFunction"]),
        ("sqs", ["JoinLabelsFunction", "ImportFilesFunction", "EraseSubjectFunction"]),
        ("dynamodb", ["ArchivePredictionsFunction", "ArchiveLabelsFunction"]),
    ],
)
def test_right_of_a_managed_policy_beyond_the_stack_is_found(service: str, consumers: list[str]) -> None:
    found = list(managed_policies_reach_beyond(bounded(without(service))))
    assert all(any(one.startswith(f"{name}: may {service}:") for one in found) for name in consumers)


def test_pattern_that_covers_a_stack_whose_name_begins_alike_is_found() -> None:
    def by_prefix(statements: Statements) -> Statements:
        for one in statements:
            if one["Action"] == "logs:*":
                one["NotResource"] = one["NotResource"].replace("hindsight/*", "hindsight-*")
        return statements

    found = list(managed_policies_reach_beyond(bounded(by_prefix)))
    assert any("log-group:hindsight-prod" in one for one in found)


def test_queue_that_the_boundary_forgets_is_found() -> None:
    def forgetful(statements: Statements) -> Statements:
        for one in statements:
            if one["Action"] == "sqs:*":
                one["NotResource"] = [arn for arn in one["NotResource"] if "FeedbackFilesQueue" not in arn]
        return statements

    found = list(boundary_stands_in_the_way(bounded(forgetful)))
    actions = ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
    assert {one.split(" on ")[0] for one in found} == {f"JoinLabelsFunction: may not sqs:{one}" for one in actions}


def test_boundary_lists_every_queue_of_the_stack() -> None:
    found = deployment()
    (listed,) = (
        one["NotResource"]
        for one in found.resources["FunctionBoundary"]["Properties"]["PolicyDocument"]["Statement"]
        if one["Action"] == "sqs:*"
    )
    assert sorted(listed) == sorted(found.resources[name]["Arn"] for name in found.of("AWS::SQS::Queue"))


def test_boundary_holds_with_the_longest_names() -> None:
    deployed = deployment(place=LONGEST_NAMES)
    rules = (managed_policies_reach_beyond, boundary_stands_in_the_way, services_send_for_others)
    assert [found for rule in rules for found in rule(deployed)] == []


@pytest.mark.parametrize(
    "condition",
    [
        {"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:hindsight-*"}},
        {"StringEquals": {"aws:SourceAccount": "123456789012"}},
        {},
    ],
)
def test_topic_that_accepts_another_stack_s_alarms_is_found(condition: dict[str, Any]) -> None:
    found = deployment()
    policy = copy.deepcopy(found.resources["OperationsTopicPolicy"])
    (alarms,) = (one for one in policy["Properties"]["PolicyDocument"]["Statement"] if one["Sid"] == "OnlyTheAlarms")
    alarms["Condition"] = condition
    opened = Deployment(found.parameters, found.place, {**found.resources, "OperationsTopicPolicy": policy})
    (finding,) = services_send_for_others(opened)
    assert finding.startswith("OperationsTopicPolicy: OnlyTheAlarms takes f")


def test_operations_topic_takes_from_every_alarm_that_sends_to_it() -> None:
    found = deployment()
    topic = found.resources["OperationsTopic"]["Arn"]
    sending = {name for name, one in found.of("AWS::CloudWatch::Alarm").items() if topic in one["AlarmActions"]}
    statements = found.of("AWS::SNS::TopicPolicy")["OperationsTopicPolicy"]["PolicyDocument"]["Statement"]
    (listed,) = (one["Condition"]["ArnEquals"]["aws:SourceArn"] for one in statements if one["Sid"] == "OnlyTheAlarms")
    assert sorted(listed) == sorted(found.resources[name]["Arn"] for name in sending)

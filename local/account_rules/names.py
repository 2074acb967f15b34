"""Names fit their limits, for a stack's name of forty characters in the region whose name is longest."""

import re
from collections.abc import Iterator

from local.transformed import Deployment, Place

MAX_STACK_NAME = 40
LONGEST_NAMES = Place(stack_name="hindsight-of-a-team-with-a-very-long-nam", region="ap-southeast-1")
# What a name may be, by the property that gives it.
_LIMITS = {
    ("AWS::ApiGateway::ApiKey", "Name"): r".{1,1024}",
    ("AWS::Athena::WorkGroup", "Name"): r"[a-zA-Z0-9._-]{1,128}",
    ("AWS::CloudWatch::Dashboard", "DashboardName"): r"[A-Za-z0-9_-]{1,255}",
    ("AWS::Events::EventBus", "Name"): r"[/.\-_A-Za-z0-9]{1,256}",
    ("AWS::Events::Rule", "Name"): r"[.\-_A-Za-z0-9]{1,64}",
    ("AWS::Lambda::Function", "FunctionName"): r"[a-zA-Z0-9-_]{1,64}",
    ("AWS::Logs::LogGroup", "LogGroupName"): r"[.\-_/#A-Za-z0-9]{1,512}",
    ("AWS::S3::Bucket", "BucketName"): r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    ("AWS::SNS::Topic", "TopicName"): r"[A-Za-z0-9_-]{1,256}",
    ("AWS::SQS::Queue", "QueueName"): r"[A-Za-z0-9_-]{1,80}",
    ("AWS::Scheduler::Schedule", "Name"): r"[0-9a-zA-Z-_.]{1,64}",
    ("AWS::StepFunctions::StateMachine", "StateMachineName"): r"[A-Za-z0-9_-]{1,80}",
}
# Text that people read.
_DESCRIPTIONS = {
    "AWS::CloudWatch::Alarm": ("AlarmDescription", 1024),
    "AWS::IAM::ManagedPolicy": ("Description", 1000),
    "AWS::Lambda::Function": ("Description", 256),
}
_SAMPLING = {"RuleName": r".{1,32}", "ServiceName": r".{1,64}"}
_POLICY_NAME = r"[\w+=,.@-]{1,128}"
_DATABASE = r"[a-z0-9_-]{1,255}"
_DELIVERED = ":log-group:/aws/vendedlogs/states/"
# A name made for no kind of resource that is known here would be judged by nothing.
_NAMES_NOTHING = {"AWS::ApiGateway::RestApi", "AWS::Logs::LogStream"}


def names_are_too_long(deployment: Deployment) -> Iterator[str]:
    """List the names of the template that their service does not accept."""
    for name, resource in deployment.resources.items():
        for what, given, allowed in _names_of(resource["Type"], resource["Properties"]):
            if not re.fullmatch(allowed, given):
                yield f"{name}: {what} {given} ({len(given)} characters) is not of the form {allowed}"
        attribute, most = _DESCRIPTIONS.get(resource["Type"], ("", 0))
        if len(resource["Properties"].get(attribute, "")) > most:
            yield f"{name}: a description of more than {most} characters"


def _names_of(kind: str, properties: dict[str, object]) -> Iterator[tuple[str, str, str]]:
    for attribute, given in properties.items():
        if attribute.endswith("Name") and (kind, attribute) in _LIMITS:
            yield attribute, str(given), _LIMITS[kind, attribute]
        elif attribute == "Name" and kind not in _NAMES_NOTHING:
            yield attribute, str(given), r"no known form"
        elif attribute == "DatabaseInput" and isinstance(given, dict):
            yield "database", given["Name"], _DATABASE
        elif attribute == "SamplingRule" and isinstance(given, dict):
            yield from ((what, given[what], allowed) for what, allowed in _SAMPLING.items())
        elif attribute == "Policies" and kind == "AWS::IAM::Role" and isinstance(given, list):
            yield from (("policy", policy["PolicyName"], _POLICY_NAME) for policy in given)


def logs_of_machines_fill_the_resource_policy(deployment: Deployment) -> Iterator[str]:
    """List the log groups of machines that would take room in the account's one resource policy."""
    for name, machine in deployment.of("AWS::StepFunctions::StateMachine").items():
        for destination in machine["LoggingConfiguration"]["Destinations"]:
            arn = destination["CloudWatchLogsLogGroup"]["LogGroupArn"]
            if _DELIVERED not in arn:
                yield f"{name}: {arn} adds to the resource policy of CloudWatch Logs, of 5,120 characters an account"

"""Leftovers of an earlier stack of the same name, which a deployment would meet."""

import re
from collections.abc import Iterator

from botocore.exceptions import ClientError

from local.preflight.check import Account, Check, Verdict
from local.preflight.stack import living_stack
from local.transformed import Deployment

_MISSING = {"404", "NoSuchBucket", "NotFound"}


def check_leftovers(account: Account, deployment: Deployment) -> Iterator[Check]:
    """Check that nothing holds a name that a new stack would make; what an earlier one kept is reported."""
    if living_stack(account, deployment.place.stack_name) is not None:
        return
    # A name that the stack makes up is new with each stack; one that was given may be taken.
    bucket = deployment.parameters.get("LakeBucketName", "")
    if bucket and _bucket_exists(account, bucket):
        yield Check(
            "Leftovers",
            Verdict.FAILURE,
            f"the bucket {bucket} exists: an earlier stack kept it, or it belongs to another account",
            "import it (`adopt`), name another, or delete it: docs/deploying.md, “Uninstall”",
        )
    kept = [*_tables(account, deployment), *_lakes(account, deployment)]
    if kept:
        yield Check(
            "Leftovers",
            Verdict.WARNING,
            f"stores of an earlier stack are kept, and cost: {', '.join(kept)}",
            "a new stack makes its own; adopt, move or delete these: docs/deploying.md, “Uninstall”",
        )
    taken = [
        *_taken_machines(account, deployment),
        *_taken_bus(account, deployment),
        *_taken_database(account, deployment),
        *_taken_log_groups(account, deployment),
    ]
    for what in taken:
        yield Check("Leftovers", Verdict.FAILURE, f"{what} exists", "delete it, or choose another name of the stack")
    if not kept and not taken and not (bucket and _bucket_exists(account, bucket)):
        yield Check("Leftovers", Verdict.OK, "nothing of an earlier stack of that name")


def _bucket_exists(account: Account, bucket: str) -> bool:
    try:
        account.client("s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        # 403 is a bucket of another account: its name is taken all the same.
        return error.response["Error"]["Code"] not in _MISSING
    return True


def _tables(account: Account, deployment: Deployment) -> Iterator[str]:
    """List the tables that CloudFormation named for a stack of exactly this name."""
    stack, stores = re.escape(deployment.place.stack_name), "|".join(deployment.of("AWS::DynamoDB::Table"))
    for page in account.client("dynamodb").get_paginator("list_tables").paginate():
        yield from (name for name in page["TableNames"] if re.fullmatch(rf"{stack}-({stores})-[A-Z0-9]+", name))


def _lakes(account: Account, deployment: Deployment) -> Iterator[str]:
    """List the lakes of a stack of exactly this name, those of earlier releases too."""
    place = deployment.place
    made_up = rf"[0-9a-f]{{8}}|{re.escape(place.account)}-{re.escape(place.region)}"
    for bucket in account.client("s3").list_buckets()["Buckets"]:
        if re.fullmatch(rf"{re.escape(place.stack_name)}-lake-({made_up})", bucket["Name"]):
            yield bucket["Name"]


def _taken_machines(account: Account, deployment: Deployment) -> Iterator[str]:
    names = {
        one["StateMachineName"]
        for one in deployment.of("AWS::StepFunctions::StateMachine").values()
        if "StateMachineName" in one
    }
    for page in account.client("stepfunctions").get_paginator("list_state_machines").paginate():
        yield from (f"the state machine {one['name']}" for one in page["stateMachines"] if one["name"] in names)


def _taken_bus(account: Account, deployment: Deployment) -> Iterator[str]:
    names = {one["Name"] for one in deployment.of("AWS::Events::EventBus").values()}
    buses = account.client("events").list_event_buses(NamePrefix=deployment.place.stack_name)["EventBuses"]
    yield from (f"the event bus {one['Name']}" for one in buses if one["Name"] in names)


def _taken_database(account: Account, deployment: Deployment) -> Iterator[str]:
    for database in deployment.of("AWS::Glue::Database").values():
        name = database["DatabaseInput"]["Name"]
        try:
            account.client("glue").get_database(Name=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
        else:
            yield f"the Glue database {name}"


def _taken_log_groups(account: Account, deployment: Deployment) -> Iterator[str]:
    logs = account.client("logs")
    for group in deployment.of("AWS::Logs::LogGroup").values():
        if name := group.get("LogGroupName"):
            found = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
            yield from (f"the log group {one['logGroupName']}" for one in found if one["logGroupName"] == name)

"""The stack that is there already: its status, its parameters, and the names of what it made."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from local.preflight.check import Account, Check, Verdict
from local.transformed import Deployment

_DEAD = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}
_STUCK = {"UPDATE_ROLLBACK_FAILED"}
_NONE = {"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"}
_LAKE = "LakeBucket"


def living_stack(account: Account, name: str) -> dict[str, Any] | None:
    """Describe the stack of a name; None where there is none."""
    try:
        found: dict[str, Any] = account.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    return None if found["StackStatus"] in _NONE else found


def physical_id(account: Account, stack_name: str, logical_id: str) -> str | None:
    """Look up the name that a stack gave one of its resources; None where it has none."""
    try:
        found: str = account.client("cloudformation").describe_stack_resource(
            StackName=stack_name, LogicalResourceId=logical_id
        )["StackResourceDetail"]["PhysicalResourceId"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return None
    return found


def check_stack(account: Account, deployment: Deployment) -> Iterator[Check]:
    """Check that a stack of the name is either none or one that can be updated."""
    name = deployment.place.stack_name
    stack = living_stack(account, name)
    if stack is None:
        yield Check("Stack", Verdict.OK, f"{name} is a new stack")
        return
    status = stack["StackStatus"]
    if status in _DEAD:
        mend = f"delete it first: aws cloudformation delete-stack --stack-name {name}"
        yield Check("Stack", Verdict.FAILURE, f"{name} is {status} and cannot be updated", mend)
    elif status in _STUCK:
        mend = f"aws cloudformation continue-update-rollback --stack-name {name}"
        yield Check("Stack", Verdict.FAILURE, f"{name} is {status}", mend)
    elif status.endswith("_IN_PROGRESS"):
        yield Check("Stack", Verdict.FAILURE, f"{name} is {status}", "wait until it is done")
    else:
        yield Check("Stack", Verdict.OK, f"{name} exists ({status}) and will be updated")


def check_lake(account: Account, deployment: Deployment) -> Iterator[Check]:
    """Check that an update keeps the lake: a bucket of another name would be a new one, and empty."""
    name = deployment.place.stack_name
    if living_stack(account, name) is None:
        return
    held, planned = physical_id(account, name, _LAKE), deployment.resources[_LAKE]["Name"]
    if held is not None and held != planned:
        found = f"the stack's lake is {held}; the deployment would put the empty bucket {planned} in its place"
        yield Check("Lake", Verdict.FAILURE, found, f"deploy with LakeBucketName={held}")
    else:
        yield Check("Lake", Verdict.OK, f"{planned} stays")

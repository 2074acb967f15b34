"""Names that a deployment would make, against the limits of their services."""

from collections.abc import Iterator

from local.preflight.check import Account, Check, Verdict
from local.transformed import Deployment

# Documented limits of names, in characters.
LIMITS = {
    "AWS::S3::Bucket": 63,
    "AWS::Scheduler::Schedule": 64,
    "AWS::StepFunctions::StateMachine": 80,
    "AWS::Events::EventBus": 256,
    "AWS::Glue::Database": 255,
}


def check_names(_account: Account, deployment: Deployment) -> Iterator[Check]:
    """Check the stack's name and all that is made of it."""
    stack = deployment.place.stack_name
    too_long = [
        f"{resource['Name']} has {len(resource['Name'])} characters, {resource['Type']} takes {limit}"
        for resource in deployment.resources.values()
        if (limit := LIMITS.get(resource["Type"])) is not None and len(resource["Name"]) > limit
    ]
    if stack != stack.lower():
        mend = "choose a name in lower case: it becomes part of the bucket's"
        yield Check("Names", Verdict.FAILURE, f"the stack's name {stack!r} has capital letters", mend)
    elif too_long:
        yield Check("Names", Verdict.FAILURE, "; ".join(too_long), "choose a shorter name of the stack")
    else:
        yield Check("Names", Verdict.OK, f"{stack!r} fits every name that is made of it")

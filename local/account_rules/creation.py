"""Rules of creation: what a service checks at once is in the role itself, not in a policy that may come later.

Lambda refuses a destination or a source that a function's role may not use, and Step Functions a log that a machine's
role may not have delivered to. EventBridge Scheduler checks nothing, and loses what its role may not do.
"""

from collections.abc import Iterator

from local.rights import role_of
from local.transformed import Deployment

_DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
_SEND = "sqs:SendMessage"


def rights_come_too_late(deployment: Deployment) -> Iterator[str]:
    """List the resources whose creation is checked against a right that may not exist by then."""
    for role, action, resource in _checked(deployment):
        if not role_of(deployment, role).may_from_the_start(action, resource):
            yield f"{role}: may not {action} on {resource} from the start"


def _checked(deployment: Deployment) -> Iterator[tuple[str, str, str]]:
    roles = {one["Arn"]: name for name, one in deployment.resources.items() if one["Type"] == "AWS::IAM::Role"}
    functions = {
        deployment.resources[name]["Name"]: roles[function["Role"]]
        for name, function in deployment.of("AWS::Lambda::Function").items()
    }
    for kind in ("AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping"):
        for one in deployment.of(kind).values():
            if destination := one.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"):
                yield functions[one["FunctionName"]], _SEND, destination
    for schedule in deployment.of("AWS::Scheduler::Schedule").values():
        target = schedule["Target"]
        yield roles[target["RoleArn"]], "lambda:InvokeFunction", target["Arn"]
        yield roles[target["RoleArn"]], _SEND, target["DeadLetterConfig"]["Arn"]
    for machine in deployment.of("AWS::StepFunctions::StateMachine").values():
        yield from ((roles[machine["RoleArn"]], action, "*") for action in _DELIVERY)

"""State machines may do what they do from the moment they exist.

Step Functions makes the rule by which it learns of a job's end as soon as a machine with a ``.sync`` task is made, with
the machine's role. A policy that is attached to the role by itself may come too late.
"""

from collections.abc import Iterator
from typing import Any

from local.rights import Role, role_of
from local.transformed import Deployment

_MULTIPART = ("s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject")
_QUERY = ("athena:GetQueryExecution", "athena:StartQueryExecution", "glue:GetDatabase", "glue:GetTable")
MANAGED_RULES = {"sagemaker:createTrainingJob.sync": "StepFunctionsGetEventsForSageMakerTrainingJobsRule"}
_MANAGED_RULE_ACTIONS = ("events:DescribeRule", "events:PutRule", "events:PutTargets")
_JOB = ("sagemaker:AddTags", "sagemaker:CreateTrainingJob")
_JOB_TO_ITS_END = ("sagemaker:DescribeTrainingJob", "sagemaker:ListTags", "sagemaker:StopTrainingJob")
# What each integration asks for in the name of the machine's role, by the documentation of Step Functions and Athena.
ASKED_FOR: dict[str, frozenset[str]] = {
    "lambda:invoke": frozenset({"lambda:InvokeFunction"}),
    "lambda:invoke.waitForTaskToken": frozenset({"lambda:InvokeFunction"}),
    "events:putEvents": frozenset({"events:PutEvents"}),
    "dynamodb:updateItem": frozenset({"dynamodb:UpdateItem"}),
    "aws-sdk:athena:startQueryExecution": frozenset({*_QUERY, *_MULTIPART, "s3:GetBucketLocation", "s3:ListBucket"}),
    "aws-sdk:athena:getQueryExecution": frozenset({"athena:GetQueryExecution"}),
    "sagemaker:createTrainingJob": frozenset({*_JOB, "iam:PassRole"}),
    "sagemaker:createTrainingJob.sync": frozenset({*_JOB, *_JOB_TO_ITS_END, *_MANAGED_RULE_ACTIONS, "iam:PassRole"}),
    # A distributed map: what it reads, what it writes, and its children.
    "s3:listObjectsV2": frozenset({"s3:ListBucket"}),
    "s3:putObject": frozenset(_MULTIPART),
    "DISTRIBUTED": frozenset({"states:StartExecution", "states:DescribeExecution", "states:StopExecution"}),
}
# Where an engine is off its states are never entered, and are calls that make no rule.
_OFF = {"TrainingEngine": ("lambda", {"sagemaker:createTrainingJob"})}
_ATHENA = {"aws-sdk:athena:startQueryExecution", "aws-sdk:athena:getQueryExecution"}
_OFF_BY = {**_OFF, "SnapshotEngine": ("lambda", _ATHENA)}


def states_of(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Walk all states of a definition, those of maps and branches too."""
    for state in definition["States"].values():
        yield state
        for inner in [state.get("ItemProcessor"), *state.get("Branches", [])]:
            if inner:
                yield from states_of(inner)


def integrations_of(definition: dict[str, Any]) -> set[str]:
    """Collect what the states of a machine do, by the names of Step Functions."""
    done = set[str]()
    for state in states_of(definition):
        parts = [state, state.get("ItemReader", {}), state.get("ResultWriter", {})]
        done |= {part["Resource"].rpartition(":::")[2] for part in parts if "Resource" in part}
        done.add(state.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode", "INLINE"))
    return done - {"INLINE"}


def unreachable_integrations(deployment: Deployment) -> set[str]:
    """Collect the integrations whose states no run enters with these parameters."""
    return {
        one
        for parameter, (off, integrations) in _OFF_BY.items()
        if deployment.parameters.get(parameter, off) == off
        for one in integrations
    }


def machine_role(deployment: Deployment, machine: str) -> Role:
    """Collect what the role of a state machine may do."""
    arn = deployment.resources[machine]["Properties"]["RoleArn"]
    (name,) = [name for name, one in deployment.resources.items() if one["Arn"] == arn]
    return role_of(deployment, name)


def machines_lack_rights(deployment: Deployment) -> Iterator[str]:
    """List the rights that a machine's tasks need and its role's own policies lack."""
    for machine in deployment.of("AWS::StepFunctions::StateMachine"):
        role = machine_role(deployment, machine)
        definition = deployment.definition_of(machine)
        given = {action for one in role.inline if one.effect == "Allow" for action in one.actions}
        for integration in sorted(integrations_of(definition) - unreachable_integrations(deployment)):
            for action in sorted(ASKED_FOR[integration] - given):
                yield f"{machine}: {integration} asks for {action}, which is not in the role's own policies"
        yield from _calls_refused(deployment, machine, definition, role)


def _calls_refused(deployment: Deployment, machine: str, definition: dict[str, Any], role: Role) -> Iterator[str]:
    """Hold the rights of calls whose resource the definition names against that resource."""
    place = deployment.place
    at = f"{place.region}:{place.account}"
    for state in states_of(definition):
        integration = state.get("Resource", "").rpartition(":::")[2]
        calls = list[tuple[str, str, dict[str, str]]]()
        if integration.startswith("lambda:invoke"):
            calls.append(("lambda:InvokeFunction", state["Arguments"]["FunctionName"], {}))
        if integration in MANAGED_RULES:
            rule = f"arn:{place.partition}:events:{at}:rule/{MANAGED_RULES[integration]}"
            calls += [(action, rule, {}) for action in _MANAGED_RULE_ACTIONS]
            to = {"iam:PassedToService": "sagemaker.amazonaws.com"}
            calls.append(("iam:PassRole", state["Arguments"]["RoleArn"], to))
        for action, resource, context in calls:
            if not role.may_from_the_start(action, resource, context):
                yield f"{machine}: the role's own policies do not allow {action} on {resource}"


def machines_wait_for_what_is_off(deployment: Deployment) -> Iterator[str]:
    """List the tasks that wait, by a managed rule, for an engine that is off."""
    for machine in deployment.of("AWS::StepFunctions::StateMachine"):
        for integration in sorted(integrations_of(deployment.definition_of(machine))):
            name, _, how = integration.partition(".")
            if how.startswith("sync") and name in unreachable_integrations(deployment):
                yield f"{machine}: {integration} is in the definition although its engine is off"

"""The template, its policies and its definitions fit the limits of CloudFormation, IAM and Step Functions."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from local.template import TEMPLATE
from local.transformed import Deployment, transformed

# Five hundred are the limit; what is left is for what is to come.
MAX_RESOURCES = 400
_MAX_COUNTS = {"Parameters": 200, "Outputs": 200, "Mappings": 200, "Conditions": 200}
_MAX_TEMPLATE_BYTES = 1_000_000
_MAX_DEFINITION_BYTES = 1_000_000
# Characters, white space left out.
_MAX_MANAGED_POLICY = 6_144
_MAX_INLINE_POLICIES = 10_240
_MAX_RESOURCE_POLICY = {
    "AWS::SQS::QueuePolicy": 8_192,
    "AWS::SNS::TopicPolicy": 30_720,
    "AWS::S3::BucketPolicy": 20_480,
}


def template_is_too_large(deployment: Deployment) -> Iterator[str]:
    """Compare the template with CloudFormation's limits."""
    if len(deployment.resources) > MAX_RESOURCES:
        yield f"{len(deployment.resources)} resources are more than {MAX_RESOURCES}"
    yield from _of_every_deployment()


def definitions_are_too_large(deployment: Deployment) -> Iterator[str]:
    """List the machines whose definition exceeds Step Functions' limit."""
    for name in deployment.of("AWS::StepFunctions::StateMachine"):
        if len(json.dumps(deployment.definition_of(name)).encode()) > _MAX_DEFINITION_BYTES:
            yield f"{name}: a definition of more than {_MAX_DEFINITION_BYTES} bytes"


@cache
def _of_every_deployment() -> tuple[str, ...]:
    template = transformed()
    found = [
        f"{len(template[section])} {section} are more than {most}"
        for section, most in _MAX_COUNTS.items()
        if len(template.get(section, {})) > most
    ]
    for what, size in (("template", TEMPLATE.stat().st_size), ("transformed template", _size(template))):
        if size > _MAX_TEMPLATE_BYTES:
            found.append(f"{size} bytes of the {what} are more than {_MAX_TEMPLATE_BYTES}")
    return tuple(found)


def policies_are_too_large(deployment: Deployment) -> Iterator[str]:
    """List the roles whose policies exceed a limit, each alone or all in sum."""
    attached: dict[str, int] = {}
    for policy in deployment.of("AWS::IAM::Policy").values():
        for role in policy["Roles"]:
            attached[role] = attached.get(role, 0) + _size(policy["PolicyDocument"])
    for name, role in deployment.of("AWS::IAM::Role").items():
        inline = sum(_size(policy["PolicyDocument"]) for policy in role.get("Policies", []))
        total = inline + attached.get(deployment.resources[name]["Name"], 0)
        if total > _MAX_INLINE_POLICIES:
            yield f"{name}: {total} characters of inline policies are more than {_MAX_INLINE_POLICIES}"
    for name, managed in deployment.of("AWS::IAM::ManagedPolicy").items():
        if (size := _size(managed["PolicyDocument"])) > _MAX_MANAGED_POLICY:
            yield f"{name}: {size} characters of a managed policy are more than {_MAX_MANAGED_POLICY}"


def resource_policies_are_too_large(deployment: Deployment) -> Iterator[str]:
    """List the policies of queues, topics and buckets that exceed their limit."""
    for kind, most in _MAX_RESOURCE_POLICY.items():
        for name, policy in deployment.of(kind).items():
            if (size := _size(policy["PolicyDocument"])) > most:
                yield f"{name}: {size} characters of a resource's policy are more than {most}"


def _size(document: Any) -> int:
    return len(json.dumps(document, separators=(",", ":")))

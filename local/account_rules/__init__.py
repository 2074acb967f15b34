"""Rules that a real account enforces and an embedded one does not, over the template as SAM transforms it.

``findings`` applies all of them to one set of parameters; ``parameter_sets`` are all the sets that make a difference.
The stack is deployed on paper where names are longest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from local.account_rules.boundaries import (
    boundary_stands_in_the_way,
    managed_policies_reach_beyond,
    services_send_for_others,
)
from local.account_rules.creation import rights_come_too_late
from local.account_rules.functions import code_is_too_large, functions_outgrow_the_account
from local.account_rules.keys import roles_cannot_use_the_key
from local.account_rules.machines import machines_lack_rights, machines_wait_for_what_is_off
from local.account_rules.missing import gone_looks_forbidden
from local.account_rules.names import LONGEST_NAMES, logs_of_machines_fill_the_resource_policy, names_are_too_long
from local.account_rules.sizes import (
    definitions_are_too_large,
    policies_are_too_large,
    resource_policies_are_too_large,
    template_is_too_large,
)
from local.account_rules.timing import batches_outlast_their_function, messages_come_back_too_early
from local.transformed import Deployment, Parameters, Resource, deployment, parameter_sets

_POLICIES = ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
_MACHINES = ("AWS::StepFunctions::StateMachine", *_POLICIES)
_SENT_TO = ("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy")
_SENDERS = ("AWS::CloudWatch::Alarm", "AWS::Events::Rule", "AWS::S3::Bucket", "AWS::SNS::Topic")
_CONSUMERS = ("AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function", "AWS::SQS::Queue")


__all__ = ["RULES", "RULES_OF_ONE", "Rule", "findings", "parameter_sets"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule over several resources, and what it looks at: where that is the same, so is what it finds."""

    find: Callable[[Deployment], Iterator[str]]
    kinds: tuple[str, ...]
    parameters: tuple[str, ...] = ()


RULES = (
    Rule(machines_lack_rights, _MACHINES, ("TrainingEngine", "SnapshotEngine")),
    Rule(machines_wait_for_what_is_off, _MACHINES[:1], ("TrainingEngine", "SnapshotEngine")),
    Rule(
        rights_come_too_late,
        (*_MACHINES, *_CONSUMERS, "AWS::Lambda::EventInvokeConfig", "AWS::Scheduler::Schedule"),
    ),
    Rule(roles_cannot_use_the_key, (*_POLICIES, "AWS::Lambda::Function"), ("KmsKeyArn",)),
    Rule(functions_outgrow_the_account, ("AWS::Lambda::Function",), ("WorkMemory",)),
    Rule(code_is_too_large, ("AWS::Lambda::Function", "AWS::Lambda::LayerVersion")),
    Rule(managed_policies_reach_beyond, (*_POLICIES, "AWS::Lambda::Function")),
    Rule(boundary_stands_in_the_way, (*_POLICIES, *_CONSUMERS)),
    Rule(services_send_for_others, (*_SENT_TO, *_SENDERS)),
    Rule(policies_are_too_large, _POLICIES),
    Rule(gone_looks_forbidden, (*_POLICIES, "AWS::S3::Bucket")),
    Rule(batches_outlast_their_function, _CONSUMERS),
    Rule(messages_come_back_too_early, _CONSUMERS),
)
# These judge each resource by itself.
RULES_OF_ONE = (
    names_are_too_long,
    logs_of_machines_fill_the_resource_policy,
    definitions_are_too_large,
    resource_policies_are_too_large,
)
_FOUND = dict[tuple[object, ...], list[str]]()
_FOUND_OF_ONE = dict[int, list[str]]()


def findings(parameters: Parameters | None = None) -> list[str]:
    """Find what would fail on a real account with these parameters."""
    deployed = deployment(parameters, LONGEST_NAMES)
    found = [*deployed.dangling, *template_is_too_large(deployed)]
    by_kind = dict[str, list[Resource]]()
    for name, resource in deployed.resources.items():
        by_kind.setdefault(resource["Type"], []).append(resource)
        found += _found_of_one(deployed, name, resource)
    for rule in RULES:
        # Resources are made once for all deployments that share them, and live as long as the process.
        looked_at = [id(one) for kind in rule.kinds for one in by_kind.get(kind, [])]
        key = (rule.find, *looked_at, *(deployed.parameters.get(name) for name in rule.parameters))
        if key not in _FOUND:
            _FOUND[key] = list(rule.find(deployed))
        found += _FOUND[key]
    return found


def _found_of_one(deployed: Deployment, name: str, resource: Resource) -> list[str]:
    if id(resource) not in _FOUND_OF_ONE:
        alone = Deployment(deployed.parameters, deployed.place, {name: resource})
        _FOUND_OF_ONE[id(resource)] = [found for rule in RULES_OF_ONE for found in rule(alone)]
    return _FOUND_OF_ONE[id(resource)]

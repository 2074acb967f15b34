"""Rules that a real account enforces and an embedded one does not, over the template as SAM transforms it.

``findings`` applies all of them to one set of parameters; ``parameter_sets`` are all the sets that make a difference.
The stack is deployed on paper where names are longest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from local.account_rules.functions import functions_outgrow_the_account
from local.account_rules.keys import roles_cannot_use_the_key
from local.account_rules.machines import machines_lack_rights, machines_wait_for_what_is_off
from local.account_rules.names import LONGEST, logs_of_machines_fill_the_resource_policy, names_are_too_long
from local.account_rules.sizes import policies_are_too_large, template_is_too_large
from local.account_rules.timing import batches_outlast_their_function, messages_come_back_too_early
from local.transformed import Deployment, Parameters, deployment, parameter_sets

_POLICIES = ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
_MACHINES = ("AWS::StepFunctions::StateMachine", *_POLICIES)
_CONSUMERS = ("AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function", "AWS::SQS::Queue")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, and what it looks at: where that is the same, so is what it finds."""

    find: Callable[[Deployment], Iterator[str]]
    # The kinds of resources; none stands for all.
    kinds: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()


RULES = (
    Rule(machines_lack_rights, _MACHINES, ("TrainingEngine", "SnapshotEngine")),
    Rule(machines_wait_for_what_is_off, _MACHINES, ("TrainingEngine", "SnapshotEngine")),
    Rule(roles_cannot_use_the_key, (*_POLICIES, "AWS::Lambda::Function"), ("KmsKeyArn",)),
    Rule(functions_outgrow_the_account, ("AWS::Lambda::Function",), ("WorkMemory",)),
    Rule(names_are_too_long),
    Rule(logs_of_machines_fill_the_resource_policy, ("AWS::StepFunctions::StateMachine",)),
    Rule(policies_are_too_large, (*_POLICIES, "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy")),
    Rule(template_is_too_large),
    Rule(batches_outlast_their_function, _CONSUMERS),
    Rule(messages_come_back_too_early, _CONSUMERS),
)
_FOUND = dict[tuple[object, ...], list[str]]()

__all__ = ["RULES", "Rule", "findings", "parameter_sets"]


def findings(parameters: Parameters | None = None) -> list[str]:
    """Find what would fail on a real account with these parameters."""
    deployed = deployment(parameters, LONGEST)
    return [*deployed.dangling, *(found for rule in RULES for found in _found(rule, deployed))]


def _found(rule: Rule, deployed: Deployment) -> list[str]:
    """Apply a rule, once for all deployments that are the same to it."""
    # Resources are made once for all deployments that share them, and live as long as the process.
    seen = [id(one) for one in deployed.resources.values() if not rule.kinds or one["Type"] in rule.kinds]
    key = (rule, *seen, *(deployed.parameters.get(name) for name in rule.parameters))
    if key not in _FOUND:
        _FOUND[key] = list(rule.find(deployed))
    return _FOUND[key]

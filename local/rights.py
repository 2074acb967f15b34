"""Evaluate IAM policies on paper: what a role of the deployed template may do, its boundary applied.

>>> statements = statements_of({"Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"},
...     {"Effect": "Deny", "Action": "sqs:*", "NotResource": "arn:aws:sqs:*:*:mine-*"}]})
>>> allows(statements, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:1:mine-queue")
True
>>> allows(statements, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:1:yours")
False
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data

from local.transformed import Deployment

Context = Mapping[str, str]
_IF_EXISTS = "IfExists"
_FOR_ALL = "ForAllValues:"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy."""

    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    # The other way round: all but these.
    not_actions: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    def speaks_of(self, action: str, resource: str, context: Context) -> bool:
        """Compute whether the statement applies to a call."""
        if self.not_actions:
            of_action = not any(_matches(one, action, fold=True) for one in self.not_actions)
        else:
            of_action = any(_matches(one, action, fold=True) for one in self.actions)
        if not of_action:
            return False
        if self.not_resources:
            of_resource = not any(_matches(one, resource) for one in self.not_resources)
        else:
            of_resource = any(_matches(one, resource) for one in self.resources)
        return of_resource and all(_holds(*one, context) for one in self.conditions)


@dataclass(frozen=True, slots=True)
class Role:
    """The rights of a role: by its own policies, by those attached to it, and at most."""

    inline: tuple[Statement, ...]
    attached: tuple[Statement, ...]
    managed: tuple[Statement, ...]
    boundary: tuple[Statement, ...] | None

    @property
    def statements(self) -> tuple[Statement, ...]:
        """Collect all that grants or denies but the boundary."""
        return (*self.inline, *self.attached, *self.managed)

    def may(self, action: str, resource: str, context: Context | None = None) -> bool:
        """Compute whether the role may make a call."""
        within = self.boundary is None or allows(self.boundary, action, resource, context)
        return within and allows(self.statements, action, resource, context)

    def may_from_the_start(self, action: str, resource: str, context: Context | None = None) -> bool:
        """Compute whether the role may make a call as soon as it exists, before policies of others are attached."""
        within = self.boundary is None or allows(self.boundary, action, resource, context)
        return within and allows((*self.inline, *self.managed), action, resource, context)


def allows(statements: Iterable[Statement], action: str, resource: str, context: Context | None = None) -> bool:
    """Compute whether statements together allow a call: one allows it and none denies it."""
    effects = {one.effect for one in statements if one.speaks_of(action, resource, context or {})}
    return effects == {"Allow"}


def statements_of(document: Mapping[str, Any]) -> tuple[Statement, ...]:
    """Parse a policy document."""
    return tuple(_parsed(one) for one in as_list(document["Statement"]))


def as_list(value: Any) -> list[Any]:
    """Wrap a single value where a list may be."""
    return value if isinstance(value, list) else [value]


def role_of(deployment: Deployment, name: str) -> Role:
    """Collect what a role of a deployment may do."""
    resource = deployment.resources[name]
    properties = resource["Properties"]
    inline = [one for policy in properties.get("Policies", []) for one in statements_of(policy["PolicyDocument"])]
    attached = [
        one
        for policy in deployment.of("AWS::IAM::Policy").values()
        if resource["Name"] in policy["Roles"]
        for one in statements_of(policy["PolicyDocument"])
    ]
    managed = [one for arn in properties.get("ManagedPolicyArns", []) for one in managed_policy(deployment, arn)]
    boundary = properties.get("PermissionsBoundary")
    return Role(
        tuple(inline), tuple(attached), tuple(managed), managed_policy(deployment, boundary) if boundary else None
    )


def managed_policy(deployment: Deployment, arn: str) -> tuple[Statement, ...]:
    """Find the statements of a managed policy, the stack's or AWS's."""
    for resource in deployment.resources.values():
        if resource["Type"] == "AWS::IAM::ManagedPolicy" and resource["Arn"] == arn:
            return statements_of(resource["Properties"]["PolicyDocument"])
    return _managed_by_aws(arn.rpartition("/")[2])


@cache
def _managed_by_aws(name: str) -> tuple[Statement, ...]:
    return statements_of(_all_managed_by_aws()[name]["Document"])


@cache
def _all_managed_by_aws() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(aws_managed_policies_data)
    return found


def _parsed(statement: Mapping[str, Any]) -> Statement:
    def texts(key: str) -> tuple[str, ...]:
        return tuple(as_list(statement.get(key, [])))

    conditions = tuple(
        (operator, key.lower(), tuple(str(value) for value in as_list(values)))
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )
    return Statement(
        statement["Effect"], texts("Action"), texts("Resource"), texts("NotAction"), texts("NotResource"), conditions
    )


@cache
def _pattern(pattern: str, fold: bool) -> re.Pattern[str]:
    regular = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(regular, re.DOTALL | (re.IGNORECASE if fold else 0))


def _matches(pattern: str, value: str, *, fold: bool = False) -> bool:
    """Match a value with IAM's wildcards, which cross slashes and colons."""
    return _pattern(pattern, fold).fullmatch(value) is not None


def _equals(pattern: str, value: str) -> bool:
    return pattern == value


def _equals_folded(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": _equals,
    "StringLike": _matches,
    "ArnEquals": _matches,
    "ArnLike": _matches,
    "Bool": _equals_folded,
}


def _holds(operator: str, key: str, values: tuple[str, ...], context: Context) -> bool:
    """Compute whether a condition holds; an operator not known here raises rather than guesses."""
    given = {name.lower(): value for name, value in context.items()}.get(key)
    plain = operator.removeprefix(_FOR_ALL).removesuffix(_IF_EXISTS)
    if given is None:
        return operator.startswith(_FOR_ALL) or operator.endswith(_IF_EXISTS) or plain.startswith("StringNot")
    if plain.startswith("StringNot"):
        return not any(_OPERATORS[plain.replace("Not", "")](value, given) for value in values)
    return any(_OPERATORS[plain](value, given) for value in values)

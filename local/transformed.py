"""The template as SAM transforms it, deployed on paper: with a set of parameters, at a place, without an account."""

import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from typing import Any

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from local.intrinsics import NAMES, Evaluation, Place
from local.template import TEMPLATE, load_template

__all__ = [
    "LABELS",
    "Deployment",
    "Evaluation",
    "Parameters",
    "Place",
    "Resource",
    "deployment",
    "parameter_sets",
    "transformed",
]

Resource = dict[str, Any]
Parameters = Mapping[str, str]

# Values that fit the patterns of parameters which a condition or a rule looks at and that list no values.
LABELS = {
    "KmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-1111-2222-3333-444455556666",
    "LakeBucketName": "a-lake-of-an-earlier-stack",
    "NotificationEmail": "operations@example.org",
    "TrainingImage": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/hindsight:1",
}
_UPLOADED = ("CodeUri", "ContentUri", "DefinitionUri")
ARTIFACTS = "s3://artifacts/"
_SUBSTITUTION = re.compile(r"\$\{(\w+)\}")
_REFERENCE = re.compile(r"\$\{(?!!)([\w:]+)")


@cache
def transformed() -> dict[str, Any]:
    """Transform the template by SAM's own translator, its code and definitions uploaded."""
    template = load_template()
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        properties.update({key: ARTIFACTS + properties[key] for key in _UPLOADED if key in properties})
    managed = {"AWSLambdaBasicExecutionRole": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of a list of its own that is not there
    without_region = "AWS_DEFAULT_REGION" not in os.environ
    os.environ.setdefault("AWS_DEFAULT_REGION", Place().region)  # the translator asks boto3 for one
    try:
        result: dict[str, Any] = Translator(managed, Parser()).translate(template, {})
    finally:
        if without_region:  # left there, it would go before the region of the user's own profile
            del os.environ["AWS_DEFAULT_REGION"]
    return result


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment as it would be made: every resource that exists, each reference a value."""

    parameters: dict[str, str]
    place: Place
    resources: dict[str, Resource]
    # What refers to something that does not exist with these parameters.
    dangling: list[str] = field(default_factory=list)

    def of(self, *kinds: str) -> dict[str, dict[str, Any]]:
        """Select the properties of the resources of some kinds, by logical id."""
        return {name: one["Properties"] for name, one in self.resources.items() if one["Type"] in kinds}

    def definition_of(self, machine: str) -> dict[str, Any]:
        """Load a state machine's definition, its substitutions made."""
        properties = self.resources[machine]["Properties"]
        return _definition(
            properties["DefinitionS3Location"]["Key"], tuple(sorted(properties["DefinitionSubstitutions"].items()))
        )


@cache
def _definition(key: str, substitutions: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    values = dict(substitutions)
    text = (TEMPLATE.parent / key).read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(_SUBSTITUTION.sub(lambda token: str(values[token[1]]), text))
    return found


def deployment(parameters: Parameters | None = None, place: Place | None = None) -> Deployment:
    """Deploy the template on paper."""
    template, at = transformed(), place or Place()
    chosen = dict(parameters or {})
    evaluation = Evaluation(template, chosen, at)
    resources, dangling = dict[str, Resource](), list[str]()
    # Parameters that no condition looks at are seldom given: then every resource is made by itself.
    others = sorted(chosen) if chosen.keys() - _deciding() else []
    for name in template["Resources"]:
        if evaluation.exists(name):
            relevant = tuple((key, chosen[key]) for key in (others or _parameters_of(name)) if key in chosen)
            resources[name], missing = _resource(name, relevant, at)
            dangling += missing
    return Deployment(chosen, at, resources, dangling)


@cache
def _resource(name: str, parameters: tuple[tuple[str, str], ...], place: Place) -> tuple[Resource, tuple[str, ...]]:
    """Resolve one resource; most are the same for nearly all sets of parameters, and so are made once."""
    template = transformed()
    evaluation = Evaluation(template, dict(parameters), place)
    resource = template["Resources"][name]
    properties = evaluation.resolve(resource.get("Properties", {}))
    made = {**resource, "Properties": properties, "Name": evaluation.name_of(name), "Arn": evaluation.arn_of(name)}
    return made, tuple(f"{name} refers to {other}, which does not exist" for other in evaluation.dangling)


@cache
def parameter_sets() -> tuple[Parameters, ...]:
    """Combine the values of all parameters that decide what is made; what a rule refuses is left out."""
    template = transformed()
    values = [[(name, value) for value in _telling_values(name)] for name in sorted(_deciding())]
    sets = [dict(one) for one in product(*values)]
    return tuple(one for one in sets if not Evaluation(template, one, Place()).breaks_a_rule())


@cache
def _deciding() -> frozenset[str]:
    """Find the parameters that conditions look at, or rules that speak of one of those.

    Any other rule refuses sets that make the same resources as those it lets pass.
    """
    template = transformed()
    parameters = template["Parameters"].keys()
    found = _referred(template["Conditions"]) & parameters
    asked = [_referred(rule) & parameters for rule in template.get("Rules", {}).values()]
    return frozenset(found.union(*(one for one in asked if one & found)))


def _telling_values(name: str) -> list[str]:
    """List the values of a parameter that make a difference to a condition."""
    parameter = transformed()["Parameters"][name]
    if "AllowedValues" in parameter:
        return [str(value) for value in parameter["AllowedValues"]]
    values = [str(parameter["Default"]), *_compared_with(name)]
    if parameter["Type"] == "Number":
        return sorted({*values, str(parameter["MaxValue"])} if len(set(values)) == 1 else set(values))
    example = LABELS[name]
    if not re.fullmatch(parameter.get("AllowedPattern", ".*"), example):
        msg = f"the example of {name} is not allowed: {example}"
        raise ValueError(msg)
    return sorted({*values, example})


def _compared_with(name: str) -> Iterator[str]:
    """Find the values that conditions and rules compare a parameter with."""
    template = transformed()
    waiting: list[Any] = [template["Conditions"], template.get("Rules", {})]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if {"Ref": name} in (compared := value.get("Fn::Equals", [])):
                yield from (str(one) for one in compared if not isinstance(one, dict))
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


@cache
def _parameters_of(name: str) -> frozenset[str]:
    """Find the parameters that a resource depends on, through conditions and the names of others too."""
    template = transformed()
    found, seen = set[str](), set[str]()
    waiting = _referred(template["Resources"][name])
    while waiting:
        seen.add(one := waiting.pop())
        if one in template["Parameters"]:
            found.add(one)
        elif one in template["Conditions"]:
            waiting |= _referred(template["Conditions"][one]) - seen
        elif one in template["Resources"]:
            waiting |= _referred(_what_names(template["Resources"][one])) - seen
    return frozenset(found & _deciding())


def _what_names(resource: Resource) -> list[Any]:
    """Select what decides whether a resource exists, and its name."""
    name = resource.get("Properties", {}).get(NAMES.get(resource["Type"], ""))
    return [{"Condition": resource["Condition"]} if "Condition" in resource else None, name]


def _referred(value: Any) -> set[str]:
    """Find the names of all parameters, conditions and resources that a value names."""
    return set(_walk_references(value))


def _walk_references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _walk_references(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key in {"Ref", "Condition"} and isinstance(one, str):
                yield one
            elif key == "Fn::If":
                yield one[0]
            elif key == "Fn::GetAtt":
                yield one[0] if isinstance(one, list) else one.split(".")[0]
            elif key == "Fn::Sub":
                yield from _REFERENCE.findall(one[0] if isinstance(one, list) else one)
            yield from _walk_references(one)

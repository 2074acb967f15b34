"""The template as data, and the few changes that let it run where the functions' dependencies already are."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parent.parent / "template.yaml"
_EVERYWHERE = {"SharedLayer", "DependenciesLayer", "PipelinesLayer"}
_LAYER = "AWS::Serverless::LayerVersion"
_FUNCTION = "AWS::Serverless::Function"
_STATE_MACHINE = "AWS::Serverless::StateMachine"
_LOCAL_WAIT_SECONDS = 86_400


class _Loader(yaml.SafeLoader):
    """The loader of CloudFormation's short tags (``!Ref``, ``!Sub``) in their long form."""


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)


def load_template(path: Path = TEMPLATE) -> dict[str, Any]:
    """Read the template with every short tag in its long form."""
    template: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  a SafeLoader  # nosec
    # Aliases became shared objects; what is changed below must not change elsewhere too.
    copied: dict[str, Any] = json.loads(json.dumps(template, default=str))
    return copied


def resources_of(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """List the resources of one type by logical id."""
    return {name: resource for name, resource in template["Resources"].items() if resource["Type"] == kind}


def layers_of(template: dict[str, Any], function: str) -> set[str]:
    """List the logical ids of a function's layers, the global ones included."""
    own = template["Resources"][function]["Properties"].get("Layers", [])
    return {layer["Ref"] for layer in [*template["Globals"]["Function"].get("Layers", []), *own]}


def localised(template: dict[str, Any], codes: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Rewrite the template with each function's code as one uploaded object and without layers.

    ``codes`` are the objects by the layer whose content is in them, ``DependenciesLayer`` for those with no other.
    """
    local: dict[str, Any] = json.loads(json.dumps(template))
    for name, function in resources_of(local, _FUNCTION).items():
        (extra,) = layers_of(template, name) - _EVERYWHERE or {"DependenciesLayer"}
        function["Properties"]["CodeUri"] = codes[extra]
        function["Properties"].pop("Layers", None)
        function.pop("Metadata", None)
        for event in function["Properties"].get("Events", {}).values():
            _number_concurrency(event["Properties"], template["Parameters"])
    for machine in resources_of(local, _STATE_MACHINE).values():
        source = TEMPLATE.parent / machine["Properties"].pop("DefinitionUri")
        definition = with_plain_timeouts(json.loads(source.read_text(encoding="utf-8")))
        workers = int(template["Parameters"]["ConsumerConcurrency"]["Default"])
        machine["Properties"]["Definition"] = with_plain_concurrency(definition, workers)
    for name in resources_of(local, _LAYER):
        del local["Resources"][name]
    del local["Globals"]["Function"]["Layers"]
    return local


def _number_concurrency(event: dict[str, Any], parameters: dict[str, Any]) -> None:
    """Write a parameter's default where it bounds a consumer: the embedded server compares the text of a parameter."""
    bound = event.get("ScalingConfig", {}).get("MaximumConcurrency")
    if isinstance(bound, dict):
        event["ScalingConfig"] = {"MaximumConcurrency": int(parameters[bound["Ref"]]["Default"])}


def with_plain_timeouts(definition: dict[str, Any], seconds: int = _LOCAL_WAIT_SECONDS) -> dict[str, Any]:
    """Rewrite a state machine so that its timeouts are numbers: the embedded server evaluates no expression there."""

    def plain(state: dict[str, Any]) -> dict[str, Any]:
        return {**state, "TimeoutSeconds": seconds} if isinstance(state.get("TimeoutSeconds"), str) else state

    return _with_states(definition, plain)


def with_plain_concurrency(definition: dict[str, Any], workers: int) -> dict[str, Any]:
    """Rewrite a state machine so that its maps have a number of workers: the embedded server follows no path to it.

    It hands the items of a map out one by one, so that the size of batches may stay a path.
    """

    def plain(state: dict[str, Any]) -> dict[str, Any]:
        if "MaxConcurrencyPath" not in state:
            return state
        others = {name: value for name, value in state.items() if name != "MaxConcurrencyPath"}
        return {**others, "MaxConcurrency": workers}

    return _with_states(definition, plain)


def _with_states(definition: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """Change every state of a state machine, those within its maps too."""

    def changed(state: dict[str, Any]) -> dict[str, Any]:
        state = change(state)
        if "ItemProcessor" in state:
            return {**state, "ItemProcessor": _with_states(state["ItemProcessor"], change)}
        return state

    return {**definition, "States": {name: changed(state) for name, state in definition["States"].items()}}

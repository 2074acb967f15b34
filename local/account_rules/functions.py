"""The limits of functions: those of a new account, and Lambda's own."""

import json
from collections.abc import Iterator
from functools import cache

from local.template import TEMPLATE
from local.transformed import ARTIFACTS, Deployment

NEW_ACCOUNT_MEMORY = 3008
_MAX_ENVIRONMENT_BYTES = 4096
_MAX_LAYERS = 5
_MAX_UNZIPPED_BYTES = 250 * 1024**2


def functions_outgrow_the_account(deployment: Deployment) -> Iterator[str]:
    """List the functions that ask for more than a new account gives, unless the deployer asked for it."""
    for name, function in deployment.of("AWS::Lambda::Function").items():
        if int(function["MemorySize"]) > NEW_ACCOUNT_MEMORY and "WorkMemory" not in deployment.parameters:
            yield f"{name}: {function['MemorySize']} MB are more than a new account gives ({NEW_ACCOUNT_MEMORY} MB)"
        size = len(json.dumps(function["Environment"]["Variables"]).encode())
        if size > _MAX_ENVIRONMENT_BYTES:
            yield f"{name}: {size} bytes of environment are more than Lambda takes ({_MAX_ENVIRONMENT_BYTES})"


def code_is_too_large(deployment: Deployment) -> Iterator[str]:
    """List the functions whose code and layers, unzipped, exceed the limit; ``sizes`` judges layers not yet built."""
    content, unknown = _content_of_layers(deployment), layers_not_built(deployment)
    for name, function in deployment.of("AWS::Lambda::Function").items():
        if len(function["Layers"]) > _MAX_LAYERS:
            yield f"{name}: {len(function['Layers'])} layers are more than {_MAX_LAYERS}"
        if unknown.keys() & set(function["Layers"]):
            continue
        keys = [function["Code"]["S3Key"], *(content[layer] for layer in function["Layers"])]
        size = sum(_unzipped(key) or 0 for key in keys)
        if size > _MAX_UNZIPPED_BYTES:
            yield f"{name}: {size} bytes of code and layers are more than {_MAX_UNZIPPED_BYTES}"


def layers_not_built(deployment: Deployment) -> dict[str, str]:
    """Find the layers whose size is unknown here, so that functions with them are not judged: folders by ARN."""
    content = _content_of_layers(deployment)
    return {arn: key.removeprefix(ARTIFACTS) for arn, key in content.items() if _unzipped(key) is None}


def _content_of_layers(deployment: Deployment) -> dict[str, str]:
    """Collect where the content of each layer is, by ARN."""
    return {
        resource["Arn"]: resource["Properties"]["Content"]["S3Key"]
        for resource in deployment.resources.values()
        if resource["Type"] == "AWS::Lambda::LayerVersion"
    }


@cache
def _unzipped(uri: str) -> int | None:
    """Compute what a folder holds in bytes, None where there is nothing yet."""
    folder = TEMPLATE.parent / uri.removeprefix(ARTIFACTS)
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return sum(path.stat().st_size for path in files) if files else None

"""What a new account gives a function, and what Lambda takes of one."""

import json
from collections.abc import Iterator
from functools import cache

from local.template import TEMPLATE
from local.transformed import ARTIFACTS, Deployment

NEW_ACCOUNT_MEMORY = 3008
_MOST_ENVIRONMENT_BYTES = 4096
_MOST_LAYERS = 5
_MOST_UNZIPPED_BYTES = 250 * 1024**2


def functions_outgrow_the_account(deployment: Deployment) -> Iterator[str]:
    """No function asks for more than a new account gives, unless its deployer does."""
    for name, function in deployment.of("AWS::Lambda::Function").items():
        if int(function["MemorySize"]) > NEW_ACCOUNT_MEMORY and "WorkMemory" not in deployment.parameters:
            yield f"{name}: {function['MemorySize']} MB are more than a new account gives ({NEW_ACCOUNT_MEMORY} MB)"
        size = len(json.dumps(function["Environment"]["Variables"]).encode())
        if size > _MOST_ENVIRONMENT_BYTES:
            yield f"{name}: {size} bytes of environment are more than Lambda takes ({_MOST_ENVIRONMENT_BYTES})"


def code_is_too_large(deployment: Deployment) -> Iterator[str]:
    """Every function fits, unzipped and with its layers; of layers that are not built here nothing is known."""
    content = {
        resource["Arn"]: resource["Properties"]["Content"]
        for resource in deployment.resources.values()
        if resource["Type"] == "AWS::Lambda::LayerVersion"
    }
    for name, function in deployment.of("AWS::Lambda::Function").items():
        parts = [content[layer] for layer in function["Layers"]] + [function["Code"]]
        if len(function["Layers"]) > _MOST_LAYERS:
            yield f"{name}: {len(function['Layers'])} layers are more than {_MOST_LAYERS}"
        if (size := sum(_unzipped(part["S3Key"]) for part in parts)) > _MOST_UNZIPPED_BYTES:
            yield f"{name}: {size} bytes of code and layers are more than {_MOST_UNZIPPED_BYTES}"


@cache
def _unzipped(uri: str) -> int:
    folder = TEMPLATE.parent / uri.removeprefix(ARTIFACTS)
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")

"""What a new account gives a function, and what Lambda takes of one."""

import json
from collections.abc import Iterator

from local.transformed import Deployment

NEW_ACCOUNT_MEMORY = 3008
_MOST_ENVIRONMENT_BYTES = 4096


def functions_outgrow_the_account(deployment: Deployment) -> Iterator[str]:
    """No function asks for more than a new account gives, unless its deployer does."""
    for name, function in deployment.of("AWS::Lambda::Function").items():
        if int(function["MemorySize"]) > NEW_ACCOUNT_MEMORY and "WorkMemory" not in deployment.parameters:
            yield f"{name}: {function['MemorySize']} MB are more than a new account gives ({NEW_ACCOUNT_MEMORY} MB)"
        size = len(json.dumps(function["Environment"]["Variables"]).encode())
        if size > _MOST_ENVIRONMENT_BYTES:
            yield f"{name}: {size} bytes of environment are more than Lambda takes ({_MOST_ENVIRONMENT_BYTES})"

"""Deploy the stack to a LocalStack-compatible endpoint, or again to the newest local one."""

import argparse
import os
import sys

from local.arguments import add_parameters
from local.deploy import deploy
from local.stack import by_the_clock
from local.state import STACK_FILE, Stack, StateFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--endpoint-url", default=os.environ.get("AWS_ENDPOINT_URL"), help="default: AWS_ENDPOINT_URL")
    add_parameters(parser)


def run(arguments: argparse.Namespace) -> int:
    """Create or update the stack."""
    state = StateFolder(arguments.state)
    newest = state.root / STACK_FILE
    endpoint_url = arguments.endpoint_url or (Stack.load(newest).endpoint_url if newest.exists() else None)
    if endpoint_url is None:
        print("no endpoint: set AWS_ENDPOINT_URL, or start one with `make up`", file=sys.stderr)
        return 1
    stack = deploy(endpoint_url.rstrip("/"), by_the_clock(dict(arguments.parameter)))
    own_port = next((port for port in state.ports() if _is_same(state.stack_on(port), stack)), None)
    state.remember(stack, own_port)
    print(f"deployed at {stack.api_url} ({newest})")
    return 0


def _is_same(known: Stack | None, deployed: Stack) -> bool:
    return known is not None and known.endpoint_url == deployed.endpoint_url

"""Show the loop in a few minutes: a history, the first version, its answers, a drift and a broken feature."""

import argparse
import sys

from local.commands.up import DEFAULT_PORT
from local.server import Server
from local.state import StateFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="of the stack, started if need be (%(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Run it on a stack that stays up, so that its pages can be opened."""
    from hindsight.core.errors import HindsightError
    from local.client import StackClient
    from local.deploy import DeploymentFailed
    from local.server import ServerError
    from local.stack import NoStack, find_stack, start
    from local.trial import Trial

    state = StateFolder(arguments.state)
    server = Server.keeper(arguments.port, state.of_port(arguments.port))
    try:
        try:
            stack = find_stack(state, arguments.port)
        except NoStack:
            stack = start(server)
            state.remember(stack, arguments.port)
        Trial(StackClient(stack)).run()
    except (ServerError, DeploymentFailed) as error:
        print(error, file=sys.stderr)
        return 1
    except HindsightError as error:
        print(error.message, file=sys.stderr)
        return 1
    print(f"The stack stays up at {stack.api_url}; `make down` stops it, and keeps what it holds.")
    return 0

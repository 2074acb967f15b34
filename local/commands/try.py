"""Show the loop in a few minutes: a history, the first version, its answers, a drift and a broken feature."""

import argparse

from local.arguments import DEFAULT_PORT, add_port
from local.server import Server
from local.state import StateFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_port(parser, "of the stack, started if need be (%(default)s)", DEFAULT_PORT)


def run(arguments: argparse.Namespace) -> int:
    """Run it on a stack that stays up, so that its pages can be opened."""
    from local.client import StackClient
    from local.stack import NoStack, find_stack, start
    from local.trial import Trial

    state = StateFolder(arguments.state)
    server = Server.keeper(arguments.port, state.of_port(arguments.port))
    try:
        stack = find_stack(state, arguments.port)
    except NoStack:
        stack = start(server)
        state.remember(stack, arguments.port)
    Trial(StackClient(stack)).run()
    print(f"The stack stays up at {stack.api_url}; `make down` stops it, and keeps what it holds.")
    return 0

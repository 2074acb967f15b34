"""Show the loop in a few minutes: a history, the first version, its answers, a drift and a broken feature."""

import argparse

from local.arguments import DEFAULT_PORT, add_port
from local.server import Server
from local.state import StateFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_port(parser, f"of the stack (the newest that is up; without one it is started on {DEFAULT_PORT})")


def run(arguments: argparse.Namespace) -> int:
    """Run it on a stack that stays up, so that its pages can be opened."""
    from local.client import StackClient
    from local.stack import NoStack, find_stack, start
    from local.trial import Trial

    state = StateFolder(arguments.state)
    try:
        stack = find_stack(state, arguments.port)
    except NoStack:
        port = arguments.port or DEFAULT_PORT
        stack = start(Server.keeper(port, state.of_port(port)))
        state.remember(stack, port)
    Trial(StackClient(stack)).run()
    print(f"The stack stays up at {stack.api_url}.")
    print("`make console` shows all of this in a browser; `make down` stops the stack, and keeps what it holds.")
    return 0

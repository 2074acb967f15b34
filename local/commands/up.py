"""Start the embedded AWS on loopback with what it held before, and deploy the stack to it."""

import argparse
import time

from local.arguments import DEFAULT_PORT, add_parameters, add_port
from local.server import Server
from local.stack import SIMULATED_TIME, by_the_clock, start
from local.state import STACK_FILE, StateFolder

_CONSOLE = "console: {} (`make console` opens it and prints its keys)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_port(parser, "port to listen on (%(default)s)", DEFAULT_PORT)
    parser.add_argument("--simulated-time", action="store_true", help="believe events' times, switch schedules off")
    add_parameters(parser)


def run(arguments: argparse.Namespace) -> int:
    """Start and deploy; a stack that is already up stays as it is, unless parameters are given."""
    state = StateFolder(arguments.state)
    server = Server.keeper(arguments.port, state.of_port(arguments.port))
    parameters = by_the_clock((SIMULATED_TIME if arguments.simulated_time else {}) | dict(arguments.parameter))
    if not parameters and server.is_running() and (stack := state.stack_on(arguments.port)):
        state.remember(stack)
        print(f"already up at {stack.api_url} ({state.root / STACK_FILE})")
        print(_CONSOLE.format(stack.console_url))
        return 0
    started = time.monotonic()
    stack = start(server, parameters)
    state.remember(stack, arguments.port)
    print(f"up at {stack.api_url} after {time.monotonic() - started:.0f} s ({state.root / STACK_FILE})")
    print(_CONSOLE.format(stack.console_url))
    return 0

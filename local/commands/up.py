"""Start the embedded AWS on loopback with what it held before, and deploy the stack to it."""

import argparse
import sys
import time

from local.deploy import DeploymentFailed
from local.server import Server, ServerError
from local.stack import SIMULATED_TIME, by_the_clock, start
from local.state import STACK_FILE, StateFolder
from local.template import load_template

DEFAULT_PORT = 4566
_CONSOLE = "console: {} (`make console` opens it and prints its keys)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port to listen on (%(default)s)")
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
    try:
        stack = start(server, parameters)
    except (ServerError, DeploymentFailed) as error:
        print(error, file=sys.stderr)
        return 1
    state.remember(stack, arguments.port)
    print(f"up at {stack.api_url} after {time.monotonic() - started:.0f} s ({state.root / STACK_FILE})")
    print(_CONSOLE.format(stack.console_url))
    return 0


def add_parameters(parser: argparse.ArgumentParser, about: str = "parameter of the template; repeatable") -> None:
    """Declare ``--parameter Name=value``, which is given once for each parameter of the template."""
    parser.add_argument(
        "--parameter", action="append", default=[], type=name_and_value, metavar="Name=value", help=about
    )


def name_and_value(text: str) -> tuple[str, str]:
    """Read a template parameter given as ``Name=value``."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form Name=value")
    allowed = load_template()["Parameters"].get(name, {}).get("AllowedValues")
    if allowed is not None and value not in map(str, allowed):
        raise argparse.ArgumentTypeError(f"{name} takes {' or '.join(map(str, allowed))}, not {value!r}")
    return name, value

"""Stop the embedded AWS; what it holds is kept for the next start."""

import argparse

from local.arguments import add_port
from local.server import Server
from local.state import StateFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_port(parser, "stop only the one on this port")
    parser.add_argument("--delete", action="store_true", help="delete what it holds, too")


def run(arguments: argparse.Namespace) -> int:
    """Stop the servers of this checkout."""
    state = StateFolder(arguments.state)
    ports = [arguments.port] if arguments.port else state.ports()
    stopped = [port for port in ports if Server.keeper(port, state.of_port(port)).stop()]
    for port in ports:
        if arguments.delete:
            state.forget(port)
        else:
            state.set_aside(port)
    print(f"stopped {', '.join(map(str, stopped))}" if stopped else "nothing was running")
    return 0

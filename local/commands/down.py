"""Stop the embedded AWS and delete what it kept."""

import argparse

from local.server import Server
from local.state import StateFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--port", type=int, help="stop only the one on this port")


def run(arguments: argparse.Namespace) -> int:
    """Stop the servers of this checkout."""
    state = StateFolder(arguments.state)
    ports = [arguments.port] if arguments.port else state.ports()
    stopped = [port for port in ports if Server(port, state.of_port(port)).stop()]
    for port in ports:
        state.forget(port)
    print(f"stopped {', '.join(map(str, stopped))}" if stopped else "nothing was running")
    return 0

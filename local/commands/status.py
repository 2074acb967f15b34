"""List the local stacks that are up."""

import argparse

from local.server import Server
from local.state import StateFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments: none."""


def run(arguments: argparse.Namespace) -> int:
    """Print one line a stack; fail if none is up."""
    state = StateFolder(arguments.state)
    servers = {port: Server.keeper(port, state.of_port(port)) for port in state.ports()}
    up = {port: server for port, server in servers.items() if server.is_running()}
    for port, server in up.items():
        stack = state.stack_on(port)
        print(f"{port}: {stack.api_url if stack else 'no stack deployed'} (log {server.log})")
    if not up:
        print("nothing is running")
    return 0 if up else 1

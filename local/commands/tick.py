"""Let the clock of a running stack act now: close windows, check, evaluate rollouts and triggers."""

import argparse

from local.arguments import add_port
from local.state import StateFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--model", help="one model (all of them)")
    parser.add_argument("--at", metavar="TIME", help="the moment, such as 2026-03-01T12:00:00Z (now)")
    add_port(parser)


def run(arguments: argparse.Namespace) -> int:
    """Tick, and print a line for each function."""
    from datetime import UTC, datetime

    from hindsight.core.times import parse_time
    from local.client import StackClient
    from local.stack import find_stack
    from local.tick import models_of, tick

    now = parse_time(arguments.at) if arguments.at else datetime.now(UTC)
    client = StackClient(find_stack(StateFolder(arguments.state), arguments.port))
    models = [arguments.model] if arguments.model else models_of(client)
    for model in models:
        print(f"{model} at {now:%Y-%m-%dT%H:%M:%SZ}")
        tick(client, model, now, lambda line: print(f"  {line}"))
    if not models:
        print("there is no model yet: PUT one (README)")
    return 0

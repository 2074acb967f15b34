"""``python -m local <command>``: the laptop's AWS and what runs on it; each command has its own ``--help``."""

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

from local import commands
from local.state import DEFAULT_STATE


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status."""
    names = sorted(module.name for module in pkgutil.iter_modules(commands.__path__))
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--state", type=Path, default=DEFAULT_STATE, help="where stacks are remembered (%(default)s)")
    parser.add_argument("command", choices=names)
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    chosen = parser.parse_args(arguments)
    # Only the chosen command is imported: the replay's numerics take longer to load than a stop takes to run.
    command = importlib.import_module(f"{commands.__name__}.{chosen.command}")
    command_parser = argparse.ArgumentParser(prog=f"python -m local {chosen.command}", description=command.__doc__)
    command.add_arguments(command_parser)
    status: int = command.run(command_parser.parse_args(chosen.arguments, argparse.Namespace(state=chosen.state)))
    return status


if __name__ == "__main__":
    sys.exit(main())

"""Close the loop around a model that is served and trained elsewhere, and report how that went."""

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--out", type=Path, default=Path("out/outside"), help="where the results go (%(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Run the demo from nothing to its report; nothing keeps running after it."""
    from rich.console import Console

    from local.outside.demo import run_demo

    try:
        run_demo(arguments.out, Console())
    except KeyboardInterrupt:
        print("stopped; nothing is left running", file=sys.stderr)
        return 130
    return 0

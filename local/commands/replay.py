"""Feed a CSV file through a running stack in event time, and report how the live model did.

A stack that runs by the wall clock is switched to simulated time for the length of the replay: clients' times are
trusted, schedules are off for every model.
"""

import argparse
import sys
from pathlib import Path

from local.arguments import add_port
from local.state import StateFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--csv", type=Path, required=True, help="the rows (gzipped or not)")
    parser.add_argument("--spec", type=Path, required=True, help="what the columns mean (YAML)")
    parser.add_argument("--as", dest="model", metavar="NAME", help="replay under this name (the configuration's)")
    parser.add_argument("--strict", action="store_true", help="end at lines that make no row")
    parser.add_argument("--out", type=Path, help="folder for summary.json and report.html (out/replay/<model>)")
    add_port(parser)


def run(arguments: argparse.Namespace) -> int:
    """Replay; a stack must be up."""
    from rich.console import Console

    from local.client import StackClient
    from local.replay.replay_file import ReplayFiles, prepare_replay, run_replay
    from local.stack import find_stack, simulated_time

    try:
        found = find_stack(StateFolder(arguments.state), arguments.port)
        # All that can be wrong with the files is found before the stack is touched.
        prepared = prepare_replay(ReplayFiles(arguments.csv, arguments.spec, arguments.model, arguments.strict))
        folder = arguments.out or Path("out") / "replay" / prepared.configuration.model
        with simulated_time(found, print) as stack:
            run_replay(StackClient(stack), prepared, folder, Console())
    except KeyboardInterrupt:
        print("stopped; what was sent is in the stack. To start again choose another name with --as", file=sys.stderr)
        return 130
    return 0

"""Feed a CSV file through a running stack in event time, and report how the live model did.

A stack that runs by the wall clock is switched to simulated time: clients' times are trusted, schedules are off.
"""

import argparse
import sys
from pathlib import Path

from local.state import STACK_FILE, Stack, StateFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--csv", type=Path, required=True, help="the rows (gzipped or not)")
    parser.add_argument("--spec", type=Path, required=True, help="what the columns mean (YAML)")
    parser.add_argument("--out", type=Path, help="folder for summary.json and report.html (out/replay/<spec's name>)")
    parser.add_argument("--stack", type=Path, help="the stack to replay through (the newest that `make up` started)")


def run(arguments: argparse.Namespace) -> int:
    """Replay; a stack must be up."""
    from rich.console import Console

    from hindsight.core.errors import HindsightError
    from local.client import StackClient
    from local.deploy import DeploymentFailed
    from local.replay_file import ReplayFiles, replay_file
    from local.stack import in_simulated_time

    path = arguments.stack or StateFolder(arguments.state).root / STACK_FILE
    if not path.exists():
        print(f"{path} does not exist: start a stack with `make up` first", file=sys.stderr)
        return 1
    folder = arguments.out or Path("out") / "replay" / arguments.spec.stem
    try:
        files = ReplayFiles(arguments.csv, arguments.spec, folder)
        stack = Stack.load(path)
        simulated = in_simulated_time(stack)
        if simulated is not stack:
            print("the stack now runs in simulated time; `make up ScheduleState=ENABLED` ends it")
        replay_file(StackClient(simulated), files, Console())
    except KeyboardInterrupt:
        print("stopped; what was sent is in the stack, to start anew: make clean-local up", file=sys.stderr)
        return 130
    except DeploymentFailed as error:
        print(error, file=sys.stderr)
        return 1
    except HindsightError as error:
        print(
            "\n".join([error.message, *(f"  {fault.path}: {fault.message}" for fault in error.faults)]), file=sys.stderr
        )
        return 1
    return 0

"""Replay a year of bike rentals through a separate stack, and report what retraining was worth."""

import argparse
import sys
import tempfile
from pathlib import Path

DATA = Path("build/demo/ISLP/data/Bikeshare.csv")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--data", type=Path, default=DATA, help="Bikeshare.csv, which `make demo` fetches (%(default)s)"
    )
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="where the results go (%(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Run the demo from nothing to its report; nothing keeps running after it."""
    from rich.console import Console

    from local.client import StackClient
    from local.replay.demo import SPEC, STORY, prepare_bikeshare
    from local.replay.replay_file import ReplayFiles, prepare_replay, run_replay
    from local.stack import running_stack

    rows = arguments.out / "bikeshare.csv"
    try:
        prepare_bikeshare(arguments.data, rows)
        with tempfile.TemporaryDirectory(prefix="hindsight-demo-") as folder, running_stack(Path(folder)) as stack:
            prepared = prepare_replay(ReplayFiles(rows, SPEC, strict=True))
            run_replay(StackClient(stack), prepared, arguments.out, Console(), STORY)
    except KeyboardInterrupt:
        print("stopped; nothing is left running", file=sys.stderr)
        return 130
    return 0

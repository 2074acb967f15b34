"""Export matured labels of a running stack, with their features, into a Parquet file."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.arguments import add_port
from local.state import StateFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--model", required=True, help="the model")
    parser.add_argument("--out", required=True, type=parquet_file, help="the Parquet file to write")
    for name, most in (("from", "first"), ("to", "last")):
        parser.add_argument(f"--{name}", help=f"the {most} day or moment of the predictions (default: all)")
    parser.add_argument("--patience", type=float, default=1800, help="seconds to wait for the end (%(default)s)")
    add_port(parser)


def parquet_file(text: str) -> Path:
    """Read the name of a Parquet file. Raises ArgumentTypeError for one that promises another format.

    >>> parquet_file("labels.parquet").name
    'labels.parquet'
    """
    path = Path(text)
    if path.suffix not in {"", ".parquet", ".pq"}:
        raise argparse.ArgumentTypeError(
            f"labels are written as Parquet: say {path.with_suffix('.parquet')}, which pandas.read_parquet reads"
        )
    return path


def run(arguments: argparse.Namespace) -> int:
    """Ask, wait and download; fail if the labels could not be exported."""
    from local.client import StackClient
    from local.job_end import wait_for_job
    from local.stack import find_stack

    asked = {name: text for name in ("from", "to") if (text := getattr(arguments, name)) is not None}
    client = StackClient(find_stack(StateFolder(arguments.state), arguments.port))
    started = client.call("GET", f"models/{arguments.model}/labels", key="operator", params=asked)
    job = wait_for_job(client, arguments.model, started["job_id"], arguments.patience, _progress_printer())
    if job["status"] != "completed":
        print(job.get("failure", f"{job['job_id']} is {job['status']}"), file=sys.stderr)
        return 1
    client.download(job["result"]["url"], arguments.out)
    print(f"{arguments.out}: {job['result']['rows']} labels")
    return 0


def _progress_printer() -> Callable[[dict[str, Any]], None]:
    """Build what prints how far a job is, each time that it has moved on."""
    shown = ""

    def show(job: dict[str, Any]) -> None:
        nonlocal shown
        done, total = job["progress"]["done"], job["progress"].get("total")
        text = f"{done} of {total} labels"
        if total is not None and text != shown:
            print(text, file=sys.stderr)
        shown = text

    return show

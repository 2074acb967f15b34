"""Build a dataset of a running stack again from its sources and compare it bit for bit."""

import argparse
import sys

from local.arguments import add_port
from local.state import StateFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--model", required=True, help="the model")
    parser.add_argument("--dataset", required=True, help="the dataset's id, as versions name it")
    parser.add_argument("--patience", type=float, default=900, help="seconds to wait for the end (%(default)s)")
    add_port(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask and wait; fail if the dataset is not what its manifest says."""
    from local.client import StackClient
    from local.job_end import start_and_wait
    from local.stack import find_stack

    client = StackClient(find_stack(StateFolder(arguments.state), arguments.port))
    path = f"datasets/{arguments.dataset}/verify"
    job = start_and_wait(client, arguments.model, "POST", path, patience=arguments.patience)
    found = job.get("result", {"is_reproducible": False, "problems": [job.get("failure", "it was not verified")]})
    if found["is_reproducible"]:
        rows = found["rows"]
        print(
            f"{arguments.dataset} is what its manifest says: {rows['train']} rows to train on and {rows['holdout']} "
            f"of the holdout, built again bit for bit from {found['sources']} objects"
        )
        return 0
    print("\n".join([f"{arguments.dataset} is not what its manifest says:", *found["problems"]]), file=sys.stderr)
    return 1

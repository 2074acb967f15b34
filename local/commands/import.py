"""Import past predictions and feedback from JSON lines (the API's items, gzipped or not) into a running stack."""

import argparse
import sys
from pathlib import Path

from local.arguments import add_port
from local.state import StateFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--model", required=True, help="the model, which must be configured")
    for kind in ("predictions", "feedback"):
        parser.add_argument(f"--{kind}", type=Path, action="append", default=[], help=f"file of {kind}; repeatable")
    parser.add_argument("--patience", type=float, default=600, help="seconds to wait for the end (%(default)s)")
    add_port(parser)
    parser.add_argument(
        "--bucket", help="upload nothing, but print the commands that do so to the lake of a stack in an account"
    )


def run(arguments: argparse.Namespace) -> int:
    """Upload the files and wait; fail if a line was refused."""
    from local.client import StackClient
    from local.file_import import SUFFIXES, ImportFile, upload_and_wait
    from local.stack import find_stack

    files = [ImportFile(path, kind) for kind in ("predictions", "feedback") for path in getattr(arguments, kind)]
    if not files:
        print("nothing to import: name files with --predictions and --feedback", file=sys.stderr)
        return 1
    if wrong := [file.path for file in files if not file.path.name.endswith(SUFFIXES) or not file.path.is_file()]:
        print(f"{wrong[0]} is no file that ends in {' or '.join(SUFFIXES)}", file=sys.stderr)
        return 1
    if arguments.bucket:
        for file in files:
            print(f"aws s3 cp {file.path} s3://{arguments.bucket}/{file.key(arguments.model)}")
        return 0
    client = StackClient(find_stack(StateFolder(arguments.state), arguments.port))
    found = upload_and_wait(client, arguments.model, files, arguments.patience)
    for file, job in zip(files, found, strict=True):
        fault = f"; {job['failure']}" if "failure" in job else ""
        counts, lines = job["result"], job["progress"]["done"]
        print(f"{file.path}: {counts['accepted']} taken, {counts['rejected']} refused of {lines} lines{fault}")
    refused = sum(job["result"]["rejected"] for job in found)
    if refused:
        print(f"why: GET /v1/models/{arguments.model}/quarantine", file=sys.stderr)
    return 1 if refused else 0

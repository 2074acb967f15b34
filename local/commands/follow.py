"""Follow a model's serving pointer: run a command for each of its moves, in order and at least once."""

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.arguments import add_port
from local.state import StateFolder

if TYPE_CHECKING:
    from local.follow import OperatorCalls


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--model", required=True, help="the model")
    parser.add_argument("--command", required=True, help="what to run; it finds the move in HINDSIGHT_… variables")
    parser.add_argument("--done", type=Path, help="the file that remembers the last move done (in the state folder)")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two looks (%(default)s)")
    parser.add_argument("--once", action="store_true", help="run the commands of the moves that have come, and end")
    add_port(parser, "of the stack (the newest that is up), where API is not set")


def run(arguments: argparse.Namespace) -> int:
    """Follow until interrupted; of the stack that API and OPERATOR_KEY name, else of the local one."""
    from local.client import CallFailed
    from local.follow import DoneFile, Follower, Moves, run_command

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    done = arguments.done or arguments.state / "follow" / f"{arguments.model}.json"
    moves = Moves(arguments.model, _calls(arguments))
    command = run_command(arguments.command, arguments.model)
    follower = Follower(moves, DoneFile(done), command, time.sleep, say, once=arguments.once)
    follower.catch_up()
    while not arguments.once:
        time.sleep(arguments.every)
        try:
            follower.catch_up()
        except CallFailed as error:
            # The stack may be away for a while: what moved meanwhile is listed when it is back.
            say(error.message)
    return 0


def _calls(arguments: argparse.Namespace) -> "OperatorCalls":
    from local.stack import operator_client

    client = operator_client(StateFolder(arguments.state), arguments.port)

    def call(path: str, params: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = client.call("GET", path, key="operator", params=params)
        return answer

    return call

"""Send the messages of a dead-letter queue again, once the cause is mended (docs/runbook.md)."""

import argparse
import sys
from typing import Any

import boto3

from local.arguments import add_port
from local.client import StackClient
from local.deploy import outputs_of
from local.redrive import Deployment, NotRedriven, queues, redrive
from local.stack import find_stack
from local.state import StateFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--queue", required=True, help="its name in the template, such as FeedbackFilesDeadLetterQueue")
    add_port(parser, "of the local stack (the newest that is up)")
    parser.add_argument(
        "--stack-name", help="of a stack in an account, by your own credentials, instead of a local one"
    )


def run(arguments: argparse.Namespace) -> int:
    """Send every message again, and say how many there were."""
    deployment = _in_account(arguments.stack_name) if arguments.stack_name else _local(arguments)
    if arguments.queue not in queues(deployment):
        print(f"there is no queue {arguments.queue!r}; there are {', '.join(queues(deployment))}", file=sys.stderr)
        return 1
    try:
        print(f"{redrive(deployment, arguments.queue)} messages were sent again")
    except NotRedriven as error:
        print(f"a message stays: {error}", file=sys.stderr)
        return 1
    return 0


def _local(arguments: argparse.Namespace) -> Deployment:
    stack = find_stack(StateFolder(arguments.state), arguments.port)
    return Deployment(stack.outputs, StackClient(stack).aws)


def _in_account(name: str) -> Deployment:
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return Deployment(outputs_of(stack), _client)


def _client(service: str) -> Any:
    return boto3.client(service)  # type: ignore[call-overload]

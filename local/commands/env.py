"""Print what a shell needs to call a running stack: ``eval "$(hindsight env)"``."""

import argparse
import shlex
from collections.abc import Mapping

from local.arguments import add_port
from local.state import Stack, StateFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_port(parser, "of the local stack (the newest that is up)")
    parser.add_argument("--stack-name", help="of a stack in an account, by your own credentials")


def run(arguments: argparse.Namespace) -> int:
    """Print one assignment a line."""
    from local.stack import find_stack

    if arguments.stack_name:
        variables = _in_account(arguments.stack_name)
    else:
        variables = local_variables(find_stack(StateFolder(arguments.state), arguments.port))
        # A profile or a session of a real account would go before the local credentials.
        print("unset AWS_PROFILE AWS_SESSION_TOKEN")
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def variables_of(api_url: str, keys: Mapping[str, str], outputs: Mapping[str, str]) -> dict[str, str]:
    """Name what the pages' commands use, as they name it."""
    return {
        "API": api_url.rstrip("/"),
        "CONSOLE": f"{api_url.rstrip('/')}/console",
        **{f"{audience.upper()}_KEY": keys[audience] for audience in ("app", "reviewer", "operator")},
        "LAKE_BUCKET": outputs["LakeBucket"],
        "RELABELLING_STATE_MACHINE": outputs["RelabellingStateMachine"],
    }


def local_variables(stack: Stack) -> dict[str, str]:
    """Add what the AWS CLI needs for a local stack; its first version knows only the second name of the region."""
    return {
        **variables_of(stack.api_url, stack.keys, stack.outputs),
        "AWS_ENDPOINT_URL": stack.endpoint_url,
        "AWS_REGION": stack.region,
        "AWS_DEFAULT_REGION": stack.region,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # the embedded AWS's root  # nosec
    }


def _in_account(name: str) -> dict[str, str]:
    import boto3

    from local.deploy import keys_of, outputs_of

    (stack,) = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    outputs = outputs_of(stack)
    return variables_of(outputs["ApiUrl"], keys_of(boto3.client("apigateway"), outputs), outputs)

"""Ask an account, by your own credentials, whether a deployment would succeed, and how to mend what would not."""

import argparse
import json
import sys
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.arguments import add_parameters

MARKS = {
    "ok": "[green]ok[/]",
    "warning": "[yellow]warning[/]",
    "failure": "[red]will fail[/]",
    "unknown": "[blue]unknown[/]",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--stack-name", default="hindsight", help="of the deployment to come (%(default)s)")
    parser.add_argument("--region", help="instead of your profile's")
    parser.add_argument("--profile", help="of your AWS configuration")
    add_parameters(parser, "as given to sam deploy; repeatable. An update keeps the others")
    parser.add_argument(
        "--models", type=at_least_one, default=1, metavar="N", help="how many models there will be (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")


def at_least_one(text: str) -> int:
    """Parse a number of models. Raises ValueError."""
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


def run(arguments: argparse.Namespace) -> int:
    """Print every check; fail if one says that the deployment would."""
    from local.preflight.check import Account, Verdict, run_checks
    from local.preflight.probes import PROBES
    from local.transformed import deployment, transformed

    known = transformed()["Parameters"].keys()
    try:
        session = boto3.Session(profile_name=arguments.profile, region_name=arguments.region)
        if session.region_name is None:
            print("no region: give --region, or set AWS_DEFAULT_REGION", file=sys.stderr)
            return 2
        account = Account(partial(_client, session), arguments.models)
        place, held = _place(account, session.region_name, arguments.stack_name)
        parameters = {name: value for name, value in held.items() if name in known}
        parameters |= dict(arguments.parameter)
        checks = run_checks(account, deployment(parameters, place), PROBES)
    except (BotoCoreError, ClientError) as error:
        print(f"AWS cannot be asked: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps([asdict(check) for check in checks], indent=2))
    else:
        _print(place, checks)
    return int(any(check.verdict is Verdict.FAILURE for check in checks))


def _place(account: Any, region: str, stack_name: str) -> tuple[Any, dict[str, str]]:
    """Find where the deployment goes, and the parameters of the stack that is there: an update keeps them."""
    from local.preflight.stack import living_stack
    from local.transformed import Place

    place = Place(stack_name, region, account.client("sts").get_caller_identity()["Account"])
    stack = living_stack(account, stack_name)
    if stack is None:
        return place, {}
    held = {one["ParameterKey"]: one["ParameterValue"] for one in stack.get("Parameters", [])}
    return replace(place, stack_id=stack["StackId"].rpartition("/")[2]), held


def _client(session: boto3.Session, service: str) -> Any:
    return session.client(service)  # type: ignore[call-overload]


def _print(place: Any, checks: list[Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "check", "", "found", "how to mend it", title=f"{place.stack_name} in {place.region}, account {place.account}"
    )
    for check in checks:
        table.add_row(check.name, MARKS[check.verdict], check.found, check.mend)
    Console().print(table)

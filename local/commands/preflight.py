"""Ask an account, by your own credentials, whether a deployment would succeed, and how to mend what would not."""

import argparse
import json
import sys
from dataclasses import asdict
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.commands.up import name_and_value

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
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        type=name_and_value,
        metavar="Name=value",
        help="as given to sam deploy; repeatable",
    )
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
    from local.transformed import Place, deployment, transformed

    parameters = dict(arguments.parameter)
    if unknown := parameters.keys() - transformed()["Parameters"].keys():
        print(f"the template has no parameter {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    try:
        session = boto3.Session(profile_name=arguments.profile, region_name=arguments.region)
        if session.region_name is None:
            print("no region: give --region, or set AWS_REGION", file=sys.stderr)
            return 2
        identity = session.client("sts").get_caller_identity()
        place = Place(arguments.stack_name, session.region_name, identity["Account"])
        checks = run_checks(Account(partial(_client, session), arguments.models), deployment(parameters, place), PROBES)
    except (BotoCoreError, ClientError) as error:
        print(f"AWS cannot be asked: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps([asdict(check) for check in checks], indent=2))
    else:
        _print(place, checks)
    return int(any(check.verdict is Verdict.FAILURE for check in checks))


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

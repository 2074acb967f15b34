"""Accounts for the tests of the preflight."""

import argparse
from typing import Any

import boto3

from local.commands import preflight
from local.preflight.check import Account, Check, Probe, run_checks
from local.transformed import Deployment, Place, deployment

REGION = "eu-central-1"


ACCOUNT = "123456789012"


class Settings:
    """Account settings of Lambda, which moto lacks."""

    def __init__(self, concurrency: int = 1000, reserved: int = 0, code: int = 0) -> None:
        self.settings = {
            "AccountLimit": {
                "ConcurrentExecutions": concurrency,
                "UnreservedConcurrentExecutions": concurrency - reserved,
                "TotalCodeSize": 75 * 1024**3,
            },
            "AccountUsage": {"TotalCodeSize": code},
        }

    def get_account_settings(self) -> dict[str, Any]:
        return self.settings


class Throttle:
    """Account settings of API Gateway, which moto lacks."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def get_account(self) -> dict[str, Any]:
        return {"throttleSettings": {"rateLimit": self.rate, "burstLimit": int(self.rate / 2)}}


def planned(region: str = REGION, stack_name: str = "hindsight", **parameters: str) -> Deployment:
    return deployment(parameters, Place(stack_name, region, ACCOUNT))


def checks(probe: Probe, plan: Deployment, **clients: Any) -> list[Check]:
    return run_checks(
        Account(lambda service: clients.get(service.replace("-", "_")) or boto3.client(service)), plan, [probe]
    )


def check(probe: Probe, plan: Deployment, **clients: Any) -> Check:
    (found,) = checks(probe, plan, **clients)
    return found


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    preflight.add_arguments(parser)
    return preflight.run(parser.parse_args(words))

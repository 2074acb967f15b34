"""A check of an account: what it found, and how to mend what would fail."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

from local.transformed import Deployment

_FORBIDDEN = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "UnauthorizedOperation",
}


class Verdict(StrEnum):
    """The result of a check."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding about an account; ``mend`` says what to do about it."""

    name: str
    verdict: Verdict
    found: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """An account by the operator's own credentials: its clients by service, and how many models it is to serve."""

    client: Callable[[str], Any]
    models: int = 1


Probe = Callable[[Account, Deployment], Iterable[Check]]


def run_checks(account: Account, deployment: Deployment, probes: Iterable[Probe]) -> list[Check]:
    """Run every probe; one that the credentials may not ask is unknown, and the others are run.

    Raises what botocore raises where no server answers at all.
    """
    checks: list[Check] = []
    for probe in probes:
        try:
            checks += probe(account, deployment)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _FORBIDDEN:
                raise
            name = probe.__name__.removeprefix("check_").replace("_", " ")
            mend = f"your credentials may not call {error.operation_name}; ask an administrator, or go on without"
            checks.append(Check(name, Verdict.UNKNOWN, "could not be asked", mend))
    return checks

"""API Gateway's cache of the authorizer's answers."""

from ministack.services import apigateway_v1

from bench.account.mode.settings import Mode
from local.forked.patching import replace


def install(mode: Mode) -> None:
    """Shorten the time for which an authorizer's answer is cached, as the other times that are waited for."""
    replace(apigateway_v1, "_authorizer_ttl", "authorizer", lambda original: lambda which: original(which) * mode.pace)

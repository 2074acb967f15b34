"""Audiences: their routes, and the policy that the authorizer gives to the key of each."""

import re
from enum import StrEnum
from typing import Any


class Audience(StrEnum):
    """A kind of caller; each has its own key."""

    APP = "app"
    REVIEWER = "reviewer"
    OPERATOR = "operator"


# Routes as the template names them. Every other route is the operators'.
APP_ROUTES = (
    "POST/models/{model}/predict",
    "POST/models/{model}/predictions",
    "POST/models/{model}/feedback",
    "GET/models/{model}/serving",
)
OPEN_ROUTES = ("GET/openapi.json", "GET/caller")
# The console's own files: they hold no secrets, and a browser that opens them has no key yet.
PUBLIC_ROUTES = ("GET/console", "GET/console/{file+}")
REVIEWER_ROUTES = (
    "GET/review",
    "GET/models/{model}/review",
    "POST/models/{model}/review/leases",
    "POST/models/{model}/review/answers",
)
_NEVER_OPERATORS = (*APP_ROUTES, *REVIEWER_ROUTES)

# Gateway responses put these between the quotes of JSON as they are: no quotes, no backslashes.
_UNKNOWN_KEY = {
    "code": "unknown_key",
    "message": "this key is not known here: send the value of a key of this deployment, not its id",
}
_WHOSE_ROUTES = (
    "predict, predictions, feedback and serving are for apps; review, review/leases and review/answers for reviewers; "
    "all else for operators"
)


def audiences_of(method: str, resource: str) -> tuple[Audience, ...]:
    """Find the audiences of a route.

    >>> audiences_of("GET", "/models/{model}/review")
    (<Audience.REVIEWER: 'reviewer'>,)
    """
    route = method.upper() + resource
    if route in OPEN_ROUTES:
        return tuple(Audience)
    if route in APP_ROUTES:
        return (Audience.APP,)
    return (Audience.REVIEWER,) if route in REVIEWER_ROUTES else (Audience.OPERATOR,)


def is_public(method: str, resource: str) -> bool:
    """Check whether a route is called without a key.

    >>> is_public("GET", "/console"), is_public("GET", "/models")
    (True, False)
    """
    return method.upper() + resource in PUBLIC_ROUTES


def policy_for(audience: Audience | None, stage_arn: str) -> dict[str, Any]:
    """Build the authorizer's answer for a caller; an unauthenticated caller (None) is denied everything.

    The policy covers all routes, never only the one that was called: API Gateway keeps it for the key's next calls.
    A wildcard of IAM also matches slashes, so that the policy lets one operators' route pass for reviewers; the
    function refuses that one (``hindsight.runtime.http.api``).
    """
    statements = {
        None: [_statement("Deny", stage_arn, "*")],
        Audience.APP: _only(stage_arn, APP_ROUTES),
        Audience.REVIEWER: _only(stage_arn, REVIEWER_ROUTES),
        Audience.OPERATOR: [
            _statement("Allow", stage_arn, "*"),
            # Not of GET: those of operators may end in an id, which may be the last word of another's route.
            _statement(
                "Deny", stage_arn, *(_pattern(route) for route in _NEVER_OPERATORS if not route.startswith("GET"))
            ),
        ],
    }[audience]
    return {
        "principalId": audience or "anonymous",
        "policyDocument": {"Version": "2012-10-17", "Statement": statements},
        "context": {"audience": audience or "anonymous", **refusal_of(audience)},
    }


def refusal_of(audience: Audience | None) -> dict[str, str]:
    """Build the code and message of a denial, which say whether the key is unknown or whose routes it may call.

    The answer is kept for all calls of the key, so that it names the routes of every audience, not the one called.

    >>> refusal_of(None)["code"], refusal_of(Audience.APP)["code"]
    ('unknown_key', 'forbidden')
    """
    if audience is None:
        return _UNKNOWN_KEY
    return {"code": "forbidden", "message": f"a key of {audience}s may not call this route: {_WHOSE_ROUTES}"}


def stage_of(method_arn: str) -> str:
    """Extract the stage's part of a method's ARN.

    >>> stage_of("arn:aws:execute-api:eu-west-1:123456789012:api/v1/POST/models/bikes/predict")
    'arn:aws:execute-api:eu-west-1:123456789012:api/v1'
    """
    api, stage, *_ = method_arn.split("/", 2)
    return f"{api}/{stage}"


def _only(stage_arn: str, routes: tuple[str, ...]) -> list[dict[str, Any]]:
    """Build the statements that allow some routes and none whose address is longer and ends alike."""
    own = [_pattern(route) for route in routes]
    return [
        _statement("Allow", stage_arn, *own, *OPEN_ROUTES),
        _statement("Deny", stage_arn, *(pattern.replace("*", "*/*") for pattern in own if "*" in pattern)),
    ]


def _pattern(route: str) -> str:
    return re.sub(r"\{\w+\}", "*", route)


def _statement(effect: str, stage_arn: str, *routes: str) -> dict[str, Any]:
    resources = [f"{stage_arn}/{route}" for route in routes]
    return {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resources}

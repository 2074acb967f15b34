"""Who may call what: the three audiences and the policy each one's key gets from the authorizer."""

from enum import StrEnum
from typing import Any


class Audience(StrEnum):
    """A kind of caller; each has its own key."""

    APP = "app"
    REVIEWER = "reviewer"
    OPERATOR = "operator"


APP_ROUTES = ("POST/models/*/predict", "POST/models/*/predictions", "POST/models/*/feedback")
OPEN_ROUTES = ("GET/openapi.json",)
REVIEWER_ROUTES = ("GET/models/*/review", "POST/models/*/review")


def policy_for(audience: Audience | None, stage_arn: str) -> dict[str, Any]:
    """Return the authorizer's answer for a caller; a stranger (None) is denied everything.

    The policy speaks of all routes, never of the one that was called: API Gateway keeps it for the key's next calls.
    """
    statements = {
        None: [_statement("Deny", stage_arn, "*")],
        Audience.APP: [_statement("Allow", stage_arn, *APP_ROUTES, *OPEN_ROUTES)],
        Audience.REVIEWER: [_statement("Allow", stage_arn, *REVIEWER_ROUTES, *OPEN_ROUTES)],
        Audience.OPERATOR: [
            _statement("Allow", stage_arn, "*"),
            _statement("Deny", stage_arn, *APP_ROUTES, *REVIEWER_ROUTES),
        ],
    }[audience]
    return {
        "principalId": audience or "stranger",
        "policyDocument": {"Version": "2012-10-17", "Statement": statements},
        "context": {"audience": audience or "stranger"},
    }


def stage_of(method_arn: str) -> str:
    """Return the stage's part of a method's ARN.

    >>> stage_of("arn:aws:execute-api:eu-west-1:123456789012:api/v1/POST/models/bikes/predict")
    'arn:aws:execute-api:eu-west-1:123456789012:api/v1'
    """
    api, stage, *_ = method_arn.split("/", 2)
    return f"{api}/{stage}"


def _statement(effect: str, stage_arn: str, *routes: str) -> dict[str, Any]:
    resources = [f"{stage_arn}/{route}" for route in routes]
    return {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resources}

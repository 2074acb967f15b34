import fnmatch

import pytest

from shared.http.audiences import Audience, policy_for

STAGE = "arn:aws:execute-api:eu-west-1:123456789012:api/v1"
APP_CALLS = ["POST/models/bikes/predict", "POST/models/bikes/predictions", "POST/models/bikes/feedback"]
REVIEWER_CALLS = ["GET/models/bikes/review", "POST/models/bikes/review"]
OPERATOR_CALLS = ["PUT/models/bikes", "GET/models/bikes/predictions/p1", "POST/models/bikes/retrain"]


def allows(audience: Audience | None, call: str) -> bool:
    statements = policy_for(audience, STAGE)["policyDocument"]["Statement"]
    effects = {
        statement["Effect"]
        for statement in statements
        if any(fnmatch.fnmatchcase(f"{STAGE}/{call}", resource) for resource in statement["Resource"])
    }
    return effects == {"Allow"}


@pytest.mark.parametrize(
    ("audience", "own"),
    [(Audience.APP, APP_CALLS), (Audience.REVIEWER, REVIEWER_CALLS), (Audience.OPERATOR, OPERATOR_CALLS), (None, [])],
)
def test_each_audience_may_call_its_own_routes_and_no_other(audience: Audience | None, own: list[str]) -> None:
    allowed = [call for call in [*APP_CALLS, *REVIEWER_CALLS, *OPERATOR_CALLS] if allows(audience, call)]
    assert allowed == own


def test_a_policy_says_nothing_of_other_stages() -> None:
    for audience in [*Audience, None]:
        for statement in policy_for(audience, STAGE)["policyDocument"]["Statement"]:
            assert all(resource.startswith(f"{STAGE}/") for resource in statement["Resource"])

from typing import Any

import pytest

from local.rights import allows, managed_policy, statements_of
from local.transformed import deployment

LAKE = "arn:aws:s3:::lake"


def allowed(*statements: dict[str, Any], action: str, resource: str = LAKE, **context: str) -> bool:
    given = {name.replace("__", ":"): value for name, value in context.items()}
    return allows(statements_of({"Statement": list(statements)}), action, resource, given)


def statement(effect: str = "Allow", **parts: Any) -> dict[str, Any]:
    return {"Effect": effect, **parts}


def test_action_without_a_statement_is_denied() -> None:
    assert not allowed(action="s3:GetObject")


@pytest.mark.parametrize(
    ("pattern", "action", "expected"),
    [
        ("s3:Get*", "s3:GetObject", True),
        ("S3:getobject", "s3:GetObject", True),
        ("s3:GetObjec?", "s3:GetObject", True),
        ("s3:Put*", "s3:GetObject", False),
    ],
)
def test_actions_match_by_wildcards_and_without_case(pattern: str, action: str, expected: bool) -> None:
    assert allowed(statement(Action=pattern, Resource="*"), action=action) is expected


def test_wildcards_of_resources_cross_slashes_and_heed_case() -> None:
    rule = statement(Action="s3:*", Resource="arn:aws:s3:::lake/models/*/card.html")
    assert allowed(rule, action="s3:GetObject", resource="arn:aws:s3:::lake/models/a/b/card.html")
    assert not allowed(rule, action="s3:GetObject", resource="arn:aws:s3:::lake/Models/a/card.html")


def test_denial_outweighs_any_permission() -> None:
    assert not allowed(
        statement(Action="*", Resource="*"), statement("Deny", Action="s3:*", Resource=LAKE), action="s3:GetObject"
    )


def test_statement_of_all_but_some_speaks_of_the_others() -> None:
    everything = statement(Action="*", Resource="*")
    beyond = statement("Deny", NotAction="logs:*", NotResource=f"{LAKE}*")
    assert allowed(everything, beyond, action="s3:GetObject", resource=f"{LAKE}/x")
    assert not allowed(everything, beyond, action="s3:GetObject", resource="arn:aws:s3:::other")
    assert allowed(everything, beyond, action="logs:PutLogEvents", resource="arn:aws:logs:::other")


@pytest.mark.parametrize(
    ("operator", "value", "given", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a*", "ab", False),
        ("StringLike", "a*", "ab", True),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEquals", "a", "a", False),
        ("StringEqualsIfExists", "a", "b", False),
    ],
)
def test_conditions_compare_the_values_of_the_call(operator: str, value: str, given: str, expected: bool) -> None:
    rule = statement(Action="*", Resource="*", Condition={operator: {"s3:Prefix": value}})
    assert allowed(rule, action="s3:ListBucket", s3__prefix=given) is expected


@pytest.mark.parametrize(("operator", "expected"), [("StringEquals", False), ("StringEqualsIfExists", True)])
def test_condition_on_a_value_missing_from_the_call_holds_only_if_it_allows_that(operator: str, expected: bool) -> None:
    rule = statement(Action="*", Resource="*", Condition={operator: {"s3:prefix": "a"}})
    assert allowed(rule, action="s3:ListBucket") is expected


def test_operator_that_is_not_known_is_not_guessed() -> None:
    rule = statement(Action="*", Resource="*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})
    with pytest.raises(KeyError):
        allowed(rule, action="s3:ListBucket", aws__SourceIp="10.0.0.1")


def test_policies_of_aws_s_own_are_known() -> None:
    statements = managed_policy(deployment(), "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole")
    assert allows(statements, "sqs:ReceiveMessage", "arn:aws:sqs:eu-central-1:123456789012:other")

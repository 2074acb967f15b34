"""Every statement of every function's policy is needed: without it, a request that the stack made would be refused.

``allowed_requests.jsonl`` holds the requests that were seen while the stack's tests ran (``make permissions``). Here
each statement is taken away in turn, and what is left is asked again, by what enforces policies in these tests.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ministack.core.iam_evaluator import EvalContext, ParsedStatement, evaluate, parse_policy_document

from bench.permissions import template_name
from local.client import StackClient

RECORD = Path(__file__).parent / "allowed_requests.jsonl"
REQUESTS = [json.loads(line) for line in RECORD.read_text(encoding="utf-8").splitlines()]
# A lake's name has eight letters of its stack's own id.
LAKE = re.compile(r"^arn:aws:s3:::[^/]+-lake-[^/]+")
# What the tests cannot show, by role and actions: without it S3 says 403 of an object that is not there, as of one that
# may not be read, and the functions could not distinguish them. The embedded AWS answers every caller with 404.
NOT_SHOWN = {
    (f"{function}FunctionRole", "s3:ListBucket")
    for function in (
        "DecideVersions",
        "Deploy",
        "ImportFiles",
        "JoinLabels",
        "Predict",
        "RelabelFiles",
        "Train",
        "Validate",
    )
}


def policies(client: StackClient) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """List the functions' roles by their names in the template, with the statements of their own policies."""
    iam: Any = client.aws("iam")
    for page in iam.get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            name = template_name(role["RoleName"])
            if not role["RoleName"].startswith(f"{client.stack.stack_name}-") or not name.endswith("FunctionRole"):
                continue
            names = iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
            found = (iam.get_role_policy(RoleName=role["RoleName"], PolicyName=one)["PolicyDocument"] for one in names)
            yield name, [statement for document in found for statement in document["Statement"]]


def requests_of(client: StackClient) -> Iterator[dict[str, Any]]:
    """List the requests of the functions, and those of Lambda in their name when it gives up on an event."""
    outputs = client.stack.outputs
    lake = f"arn:aws:s3:::{outputs['LakeBucket']}"
    made_up = {
        ":secret:": outputs["TokenSecret"],
        "/apikeys/": f"arn:aws:apigateway:us-east-1::/apikeys/{outputs['AppKeyId']}",
    }
    for request in REQUESTS:
        here = [resource for part, resource in made_up.items() if part in request["resource"]]
        yield {**request, "resource": here[0] if here else LAKE.sub(lake, request["resource"])}
    lambdas: Any = client.aws("lambda")
    for page in lambdas.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            role = template_name(function["Role"].rpartition("/")[2])
            asked = {"FunctionName": function["FunctionName"]}
            configured = lambdas.list_function_event_invoke_configs(**asked)["FunctionEventInvokeConfigs"]
            mapped = lambdas.list_event_source_mappings(**asked)["EventSourceMappings"]
            for found in (*configured, *mapped):
                if destination := found.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"):
                    yield {"role": role, "action": "sqs:SendMessage", "resource": destination, "context": {}}


def is_allowed(request: dict[str, Any], statements: list[ParsedStatement]) -> bool:
    context = EvalContext(
        principal_arn=f"arn:aws:sts::000000000000:assumed-role/{request['role']}/function",
        principal_type="AssumedRole",
        principal_account="000000000000",
        action=request["action"],
        resource_arn=request["resource"],
        region="us-east-1",
        service_context=request["context"],
    )
    return bool(evaluate(context, [statements]).decision == "Allow")


def needed(requests: list[dict[str, Any]], statements: list[ParsedStatement], place: int) -> bool:
    left = [statement for number, statement in enumerate(statements) if number != place]
    return any(is_allowed(request, statements) and not is_allowed(request, left) for request in requests)


def test_taking_away_any_statement_of_any_policy_makes_something_fail(client: StackClient) -> None:
    idle, judged, asked = [], 0, list(requests_of(client))
    for role, documents in policies(client):
        statements = parse_policy_document({"Statement": documents})
        requests = [request for request in asked if request["role"] == role]
        for place, statement in enumerate(statements):
            judged += 1
            if not needed(requests, statements, place):
                idle.append((role, " ".join(statement.actions)))
    assert judged > 100
    assert set(idle) == NOT_SHOWN


def test_recorded_requests_are_still_allowed(client: StackClient) -> None:
    refused, asked = [], list(requests_of(client))
    for role, documents in policies(client):
        statements = parse_policy_document({"Statement": documents})
        for request in asked:
            if request["role"] == role and not is_allowed(request, statements):
                refused.append((role, request["action"], request["resource"]))
    assert refused == []


@pytest.mark.parametrize("action", ["s3:DeleteObject", "dynamodb:DeleteTable", "iam:CreateRole"])
def test_a_request_that_no_statement_is_for_is_refused(client: StackClient, action: str) -> None:
    for role, documents in policies(client):
        request = {"role": role, "action": action, "resource": "arn:aws:s3:::elsewhere/x", "context": {}}
        assert not is_allowed(request, parse_policy_document({"Statement": documents}))

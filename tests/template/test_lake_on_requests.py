"""Requests that read the lake: none, or little and for a reason that is written here."""

from typing import Any

from local.template import resources_of
from tests.template.test_least_privilege import as_list, statements

# By function what of the lake a request may wait for, and what bounds it. Everything else is kept in a table.
READ = {
    "PredictFunction": "the artefacts that serve, once an instance and version",
    "DecideVersionsFunction": "the artefact of the version to serve: one object, loaded before it may serve",
    "GetModelFunction": "the newest 200 objects of a quarantine, eight at a time, as long as there is time; the "
    "manifest of a data set, one object; the reports of one page of checks, of listings by "
    "day within a span of 92; and it signs links, which may do what the function may",
    "RegisterVersionFunction": "the file of scores that the call names, one object of at most a million rows, and one "
    "part of a data set; the rows of a baseline; and it signs links for uploads",
    "RequestJobsFunction": "whether a quarantine holds anything: one list of one page",
}


def answering(template: dict[str, Any]) -> set[str]:
    """List the functions that answer requests of the API."""
    functions = resources_of(template, "AWS::Serverless::Function")
    return {
        name
        for name, function in functions.items()
        if any(event["Type"] == "Api" for event in function["Properties"].get("Events", {}).values())
    }


def touching(template: dict[str, Any], *actions: str) -> set[str]:
    """List the functions that answer requests and may use objects."""
    return {
        name
        for name, statement in statements(template)
        if name in answering(template) and any(action.startswith(actions) for action in as_list(statement["Action"]))
    }


def test_only_known_functions_read_the_lake_while_a_request_waits(template: dict[str, Any]) -> None:
    assert touching(template, "s3:Get", "s3:List") == set(READ)


def test_only_a_registration_writes_to_the_lake_while_a_request_waits(template: dict[str, Any]) -> None:
    # The baseline of the version that a call registers: two small objects.
    assert touching(template, "s3:Put", "s3:Delete", "s3:Abort") == {"RegisterVersionFunction"}


def test_the_rule_sees_every_route(template: dict[str, Any]) -> None:
    assert {"PredictFunction", "RequestRetrainingFunction", "GetModelFunction"} <= answering(template)
    assert len(answering(template)) >= 10

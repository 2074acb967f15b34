"""The OpenAPI document is what the code and the template say, and what is committed is served."""

import json
import re
from typing import Any

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from openapi_spec_validator import OpenAPIV31SpecValidator

from hindsight.config.documents.strict_yaml import parse_yaml
from hindsight.config.parse import parse_configuration
from hindsight.runtime.http.audiences import APP_ROUTES, OPEN_ROUTES, REVIEWER_ROUTES, audiences_of
from hindsight.runtime.http.requests import YAML_TYPES, read_document
from local.openapi.document import COMMITTED, document, written
from local.openapi.examples.answers import EXAMPLES
from local.openapi.examples.bodies import BODY_EXAMPLES
from local.openapi.page import PAGE, with_routes
from local.openapi.routes import ROUTES
from local.template import load_template, resources_of


def of_template() -> set[tuple[str, str]]:
    events = [
        event["Properties"]
        for function in resources_of(load_template(), "AWS::Serverless::Function").values()
        for event in function["Properties"].get("Events", {}).values()
        if event["Type"] == "Api"
    ]
    # What a browser calls by itself is no call of the API: its question before a call, the files of the console.
    with_key = [event for event in events if "Auth" not in event]
    return {(event["Method"], event["Path"]) for event in with_key}


def test_committed_document_is_current() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == written(), "run make openapi"


def test_page_of_the_api_lists_the_routes_of_now() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_routes(page) == page, "run make openapi"


def test_every_route_of_the_template_is_in_the_document_and_no_other() -> None:
    described = {(method, path) for path, operations in document()["paths"].items() for method in operations}
    assert described == of_template(), (
        "a route is an event of its function in template.yaml and a Route in local/openapi/"
    )


def test_the_document_is_openapi() -> None:
    assert list(OpenAPIV31SpecValidator(document()).iter_errors()) == []


def test_each_route_lists_the_audiences_that_the_authorizer_admits() -> None:
    for route in ROUTES:
        assert route.audiences == audiences_of(route.method, route.path), route
    known = {f"{route.method.upper()}{route.path}" for route in ROUTES}
    assert {*APP_ROUTES, *REVIEWER_ROUTES, *OPEN_ROUTES} <= known


def test_every_reference_leads_somewhere() -> None:
    known = document()["components"]["schemas"]

    def references(part: Any) -> set[str]:
        if isinstance(part, dict):
            own = {part["$ref"].rpartition("/")[2]} if isinstance(part.get("$ref"), str) else set()
            return own.union(*(references(value) for value in part.values()))
        return set().union(*(references(value) for value in part)) if isinstance(part, list) else set()

    assert references(json.loads(written())) <= known.keys()


def operations() -> list[dict[str, Any]]:
    return [operation for path in document()["paths"].values() for operation in path.values()]


def test_every_operation_has_an_id_of_its_own_that_is_a_verb_and_a_noun() -> None:
    names = [operation["operationId"] for operation in operations()]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []
    assert set(EXAMPLES) == set(names)


def test_every_list_with_a_limit_has_a_token_of_the_next_page() -> None:
    limited = [operation for operation in operations() if "limit" in names_of(operation)]
    assert len(limited) > 7
    assert [operation["operationId"] for operation in limited if "next_token" not in names_of(operation)] == []
    for operation in limited:
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert "next_token" in schema["properties"], operation["operationId"]


def names_of(operation: dict[str, Any]) -> set[str]:
    return {parameter["name"] for parameter in operation["parameters"]}


def test_every_answer_has_an_example_that_fits_its_schema() -> None:
    components = {"components": document()["components"]}
    for operation in operations():
        for status, response in operation["responses"].items():
            content = response["content"]["application/json"]
            validator = Draft202012Validator({**components, **content["schema"]})
            assert list(validator.iter_errors(content["example"])) == [], (operation["operationId"], status)


def test_every_body_has_an_example_that_fits_its_schema() -> None:
    components = {"components": document()["components"]}
    bodies = {one["operationId"]: one["requestBody"]["content"] for one in operations() if "requestBody" in one}
    assert set(BODY_EXAMPLES) == set(bodies)
    for name, content in bodies.items():
        for kind, body in content.items():
            validator = Draft202012Validator({**components, **body["schema"]})
            assert list(validator.iter_errors(body["example"])) == [], (name, kind)


def test_example_of_a_configuration_is_accepted() -> None:
    example = BODY_EXAMPLES["configure_model"]

    assert parse_configuration(example) == parse_configuration(parse_yaml(json.dumps(example)))


def test_configuration_lists_the_content_types_that_are_read() -> None:
    [content] = [one["requestBody"]["content"] for one in operations() if one["operationId"] == "configure_model"]

    assert list(content) == ["application/json", *YAML_TYPES]
    for kind in content:
        event = APIGatewayProxyEvent({"headers": {"content-type": kind}, "body": "{}"})
        assert read_document(event, max_bytes=10)[1].content_type == kind


def test_no_answer_is_of_unknown_shape() -> None:
    for route in ROUTES:
        assert route.answer.keys() & {"anyOf", "properties", "items", "$ref"}, route.name
        assert route.answer.get("properties") != {}, route.name


def test_lists_that_are_paged_take_and_answer_a_token() -> None:
    for route in ROUTES:
        taken = "next_token" in {one.name for one in route.parameters}
        assert taken == ("next_token" in route.answer.get("properties", {})), route.name

"""Routes of each audience: by the authorizer's policy, as IAM reads it, and by the function behind it."""

import fnmatch
import json
import re
from itertools import product
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.config.types import IDENTIFIER, MODEL_NAME
from hindsight.core.errors import Forbidden
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.audiences import (
    APP_ROUTES,
    OPEN_ROUTES,
    REVIEWER_ROUTES,
    Audience,
    audiences_of,
    policy_for,
    refusal_of,
)
from local.openapi.route import Route
from local.openapi.routes import ROUTES
from local.template import load_template
from tests.functions.conftest import EVENTS, Context

STAGE = "arn:aws:execute-api:eu-west-1:123456789012:api/v1"
LAST_WORDS = sorted({route.rpartition("/")[2] for route in (*APP_ROUTES, *REVIEWER_ROUTES, *OPEN_ROUTES)})
models, ids = (
    st.from_regex(pattern, fullmatch=True) | st.sampled_from(LAST_WORDS) for pattern in (MODEL_NAME, IDENTIFIER)
)


def policy_allows(audience: Audience | None, call: str) -> bool:
    statements = policy_for(audience, STAGE)["policyDocument"]["Statement"]
    effects = {
        statement["Effect"]
        for statement in statements
        if any(fnmatch.fnmatchcase(f"{STAGE}/{call}", resource) for resource in statement["Resource"])
    }
    return effects == {"Allow"}


def function_allows(audience: Audience, route: Route) -> bool:
    api = create_api()
    event = json.loads((EVENTS / "predict.json").read_text())
    event |= {"httpMethod": route.method.upper(), "resource": route.path, "path": "/v1/called"}
    event["requestContext"]["authorizer"]["audience"] = audience.value

    @api.route("/called", method=[route.method.upper()])
    def called() -> object:
        return answer(200, {})

    status: int = api.resolve(event, Context())["statusCode"]  # type: ignore[arg-type]
    assert status in (200, 403)
    return status == 200


def address(route: Route, model: str, identifier: str) -> str:
    path = route.path.replace("{model}", model)
    return route.method.upper() + re.sub(r"\{\w+\}", lambda _: quote(identifier, safe=""), path)


def check(route: Route, model: str, identifier: str) -> None:
    call = address(route, model, identifier)
    for audience in Audience:
        is_meant = audience in route.audiences
        by_policy = policy_allows(audience, call)
        assert (by_policy and function_allows(audience, route)) == is_meant, (audience, call)
        # The function refuses the one case that no policy can express: one route, and operators alone.
        assert by_policy == is_meant or (audience, route.method) == (Audience.OPERATOR, "get"), (audience, call)
    assert not policy_allows(None, call)


@pytest.mark.parametrize(("model", "identifier"), [*product(["bikes", *LAST_WORDS], ["p-1", *LAST_WORDS])])
def test_every_route_with_ids_that_read_like_other_routes_is_open_to_its_audience_alone(
    model: str, identifier: str
) -> None:
    for route in ROUTES:
        check(route, model, identifier)


@given(st.sampled_from(ROUTES), models, ids)
def test_every_route_with_any_ids_is_open_to_its_audience_alone(route: Route, model: str, identifier: str) -> None:
    check(route, model, identifier)


def test_function_refuses_a_caller_without_an_audience() -> None:
    api = create_api()
    event = json.loads((EVENTS / "predict.json").read_text())
    del event["requestContext"]["authorizer"]

    @api.post("/models/<model>/predict")
    def called(model: str) -> object:
        raise AssertionError(model)

    answered = api.resolve(event, Context())  # type: ignore[arg-type]
    assert (answered["statusCode"], json.loads(answered["body"])["error"]["code"]) == (403, Forbidden.code)


def test_routes_not_named_for_others_are_the_operators() -> None:
    assert audiences_of("delete", "/models/{model}/entities/{id}") == (Audience.OPERATOR,)


def test_a_policy_says_nothing_of_other_stages() -> None:
    for audience in [*Audience, None]:
        for statement in policy_for(audience, STAGE)["policyDocument"]["Statement"]:
            assert all(resource.startswith(f"{STAGE}/") for resource in statement["Resource"])


def test_refusals_fit_between_quotes_of_json_and_name_the_routes_of_every_audience() -> None:
    for audience in [*Audience, None]:
        refusal = refusal_of(audience)
        assert json.loads(f'["{refusal["message"]}"]') == [refusal["message"]]
        assert refusal["code"] == ("forbidden" if audience else "unknown_key")
    for route in (*APP_ROUTES, *REVIEWER_ROUTES):
        assert route.partition("{model}/")[2] in refusal_of(Audience.OPERATOR)["message"]


def test_function_names_whose_route_it_is_and_whose_key_was_sent() -> None:
    api = create_api()
    event = json.loads((EVENTS / "get_model.json").read_text())
    event["requestContext"]["authorizer"]["audience"] = "reviewer"
    body = json.loads(api.resolve(event, Context())["body"])  # type: ignore[arg-type]
    assert body["error"]["message"] == "this route is for operators; the key is of the audience reviewer"


def test_gateway_takes_code_and_message_of_a_denial_from_the_authorizer() -> None:
    responses = load_template()["Resources"]["Api"]["Properties"]["GatewayResponses"]
    written = responses["ACCESS_DENIED"]["ResponseTemplates"]["application/json"]
    used = re.findall(r"\$context\.authorizer\.(\w+)", written)
    assert used == ["code", "message"]
    assert set(used) <= policy_for(None, STAGE)["context"].keys() & policy_for(Audience.APP, STAGE)["context"].keys()

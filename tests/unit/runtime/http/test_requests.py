import base64
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from hypothesis import example, given

from hindsight.config.store import SentDocument
from hindsight.core.errors import InvalidInput, NotFound, TooLarge, UnsupportedType
from hindsight.runtime.http.requests import (
    flag,
    identifier,
    limit,
    model_name,
    read_document,
    read_json,
    read_object,
    requested_at,
)
from tests.identifiers import IDENTIFIERS


def request(body: str | None = None, kind: str | None = "application/json", **changes: Any) -> APIGatewayProxyEvent:
    headers = {} if kind is None else {"Content-Type": kind}
    return APIGatewayProxyEvent({"headers": headers, "body": body, "isBase64Encoded": False, **changes})


def encoded(content: bytes, kind: str = "application/json") -> APIGatewayProxyEvent:
    return request(base64.b64encode(content).decode(), kind, isBase64Encoded=True)


@pytest.mark.parametrize("kind", ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8"])
def test_json_is_read_with_any_parameters_of_its_type(kind: str) -> None:
    assert read_json(request('{"a": [1]}', kind), max_bytes=100) == {"a": [1]}


@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/yaml", "application/jsonl"])
def test_another_content_type_is_refused(kind: str | None) -> None:
    with pytest.raises(UnsupportedType):
        read_json(request("{}", kind), max_bytes=100)


def test_a_body_is_measured_in_bytes_and_may_have_just_the_most_allowed() -> None:
    text = '"üüü"'
    assert read_json(request(text), max_bytes=8) == "üüü"
    with pytest.raises(TooLarge):
        read_json(request(text), max_bytes=7)


@pytest.mark.parametrize("body", [None, "", "  \n"])
def test_an_empty_body_is_refused(body: str | None) -> None:
    with pytest.raises(InvalidInput, match="the body is empty"):
        read_json(request(body, "application/json" if body else None), max_bytes=100)


def test_absent_body_without_a_type_is_refused_as_empty() -> None:
    with pytest.raises(InvalidInput, match="the body is empty"):
        read_json(request(None, None), max_bytes=100)


@pytest.mark.parametrize("body", ["{", "NaN", '{"a": Infinity}', '{"a": 1, "a": 2} x', "[" * 5000])
def test_body_that_is_not_json_is_refused(body: str) -> None:
    with pytest.raises(InvalidInput):
        read_json(request(body), max_bytes=10_000)


def test_encoded_body_is_decoded_and_binary_content_refused() -> None:
    assert read_json(encoded(b'{"a": 1}'), max_bytes=100) == {"a": 1}
    for broken in (encoded(b'"\xff\xfe"'), request("not base64!", isBase64Encoded=True)):
        with pytest.raises(InvalidInput):
            read_json(broken, max_bytes=100)


def test_document_is_json_or_yaml_and_kept_as_it_was_sent() -> None:
    json_document = read_document(request("{}"), max_bytes=100)
    yaml_document = read_document(request("a: [1]  # note", "application/yaml"), max_bytes=100)

    assert json_document == ({}, SentDocument(text="{}", content_type="application/json"))
    assert yaml_document == ({"a": [1]}, SentDocument(text="a: [1]  # note", content_type="application/yaml"))


@pytest.mark.parametrize("kind", ["text/yaml", "application/x-yaml", "text/x-yaml", "text/vnd.yaml; charset=utf-8"])
def test_usual_aliases_of_yaml_are_read_as_yaml(kind: str) -> None:
    assert read_document(request("a: 1", kind), max_bytes=100)[0] == {"a": 1}


def test_document_of_another_type_or_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(UnsupportedType):
        read_document(request("a: 1", "text/plain"), max_bytes=100)
    for broken in ("a: [", "a: !!python/object:os.system {}"):
        with pytest.raises(InvalidInput):
            read_document(request(broken, "application/yaml"), max_bytes=100)


@pytest.mark.parametrize(("text", "value"), [(None, False), ("false", False), ("true", True)])
def test_flag_is_true_or_false(text: str | None, value: bool) -> None:
    query = None if text is None else {"force": text}
    assert flag(request(queryStringParameters=query), "force") is value


@pytest.mark.parametrize("text", ["", "1", "True", "yes"])
def test_flag_of_other_text_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        flag(request(queryStringParameters={"force": text}), "force")
    assert [fault.path for fault in refused.value.faults] == ["force"]


def test_an_object_has_no_other_than_the_known_fields() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_object(request(json.dumps({"a": 1, "c": 1, "b": 1})), max_bytes=100, known=frozenset({"a"}))
    assert [fault.path for fault in refused.value.faults] == ["b", "c"]
    assert refused.value.message == "the body takes a, and not b"
    with pytest.raises(InvalidInput, match=r"must be a JSON object with a and b$"):
        read_object(request("[]"), max_bytes=100, known=frozenset({"b", "a"}))


def test_names_in_the_path_are_decoded_and_checked() -> None:
    assert (model_name("bike-demand"), identifier("a%3Ab", "prediction")) == ("bike-demand", "a:b")
    for bad in ("", "-a", "a b", "a%2Fb", "a" * 65, "..", "a\n"):
        with pytest.raises(NotFound):
            model_name(bad)
    for bad in ("", "%00", "%20a", "a%C2%A0", "a" * 129, "a%0A", "a%E2%80%AEb", "%FF"):
        with pytest.raises(NotFound):
            identifier(bad, "prediction")


@given(IDENTIFIERS)
@example("%2F")
@example("..")
def test_id_in_the_path_is_decoded_once(name: str) -> None:
    assert identifier(quote(name, safe=""), "prediction") == name


def asked(text: str | None) -> APIGatewayProxyEvent:
    return request(queryStringParameters=None if text is None else {"limit": text})


def test_a_limit_is_a_whole_number_in_its_range_or_the_default() -> None:
    assert [limit(asked(text), default=50, most=100) for text in (None, "1", "100", "007")] == [50, 1, 100, 7]


@pytest.mark.parametrize("text", ["", "0", "101", "-1", "+1", "1.0", "1e1", " 1", "²", "9" * 30])
def test_any_other_limit_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        limit(asked(text), default=50, most=100)
    assert [fault.path for fault in refused.value.faults] == ["limit"]


def test_a_request_s_moment_is_the_gateway_s() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    event = request(requestContext={"requestTimeEpoch": int(moment.timestamp() * 1000)})
    assert requested_at(event) == moment

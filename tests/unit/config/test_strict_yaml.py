"""YAML has the meaning of the same document in JSON, for scalars of any look."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hindsight.config.documents.strict_yaml import parse_yaml
from hindsight.config.metrics import Task
from hindsight.config.parse import parse_configuration
from hindsight.core.errors import InvalidInput
from hindsight.labels.aggregate import rule_label

GUESSED = ["yes", "NO", "on", "Off", "y", "True", "FALSE", "Null", "~", "010", "0x1F", "1_000", "12:30", ".5", "+1"]
GUESSED += ["2026-03-01", "2026-03-01T12:00:00Z", ".inf", ".NaN", "0o7", "1.", "=", "<<", "07", "-01"]
texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=12) | st.sampled_from(GUESSED)
numbers = st.integers(-(2**53), 2**53) | st.floats(-1e30, 1e30)
documents = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts, children, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize("text", GUESSED)
def test_plain_scalar_that_json_does_not_know_is_text_as_value_and_as_key(text: str) -> None:
    assert parse_yaml(f"value: {text}") == {"value": text}
    assert parse_yaml(f"{text}: 1") == {text: 1}


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "1e5", "-0.0", "true", "false", "null", "9007199254740992"])
def test_plain_scalar_that_json_knows_is_its_json_value_and_text_as_key(text: str) -> None:
    assert parse_yaml(f"value: {text}") == {"value": json.loads(text)}
    assert parse_yaml(f"{text}: 1") == {text: 1}
    assert parse_yaml(f"value: '{text}'") == {"value": text}


@given(documents)
def test_json_document_read_as_yaml_is_the_same(value: Any) -> None:
    assert parse_yaml(json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")) == value


@given(documents)
def test_document_dumped_as_quoted_yaml_comes_back(value: Any) -> None:
    assert parse_yaml(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a: 1\na: 2", "a"),
        ("a: {b: 1, 'b': 2}", "a.b"),
        ("rules: [{x: 1}, {y: 1, y: 2}]", "rules[1].y"),
        ("a: !!int '5'", "a"),
        ("a: !!python/name:os.system x", "a"),
        ("a: !!set {b}", "a"),
        ("a: [!!timestamp 2026-01-01]", "a[0]"),
        ("a: 9007199254740993", "a"),
        ("a: 1e999", "a"),
        (r'a: "\ud800"', "a"),
        (r'"\ud800": 1', ""),
        ("? [a]\n: 1", ""),
        ("b: {? {a: 1} : 1}", "b"),
    ],
)
def test_value_that_json_cannot_write_is_refused_by_its_path(text: str, path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_yaml(text)

    assert [fault.path for fault in refused.value.faults] == [path]


@pytest.mark.parametrize("text", ["a: [1", "a: &x [1]\nb: *x", "\x00", "a: 1\n---\nb: 2", "[" * 40 + "]" * 40])
def test_text_that_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_yaml(text)


def test_error_names_line_and_column() -> None:
    with pytest.raises(InvalidInput, match=r"at line 2 column 5$"):
        parse_yaml("a: 1\nb: [: 2")


@given(st.text(max_size=60))
def test_any_text_is_plain_values_or_an_error(text: str) -> None:
    try:
        value = parse_yaml(text)
    except InvalidInput as error:
        value = error.message
    assert json.loads(json.dumps(value, allow_nan=False)) == value


SMALLEST = {
    "model": "m",
    "task": "binary",
    "features": {"x": {"type": "numeric"}},
    "labels": {"rules": [{"event": "y"}]},
}


@st.composite
def broken_configurations(draw: st.DrawFn) -> str:
    """Any part of a configuration replaced by any value, as YAML that quotes nothing it need not."""
    document: dict[str, Any] = json.loads(json.dumps(SMALLEST))
    place: Any = document
    while True:
        key = draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        if draw(st.booleans()) or not isinstance(place[key], dict | list) or not place[key]:
            place[key] = draw(documents)
            return yaml.safe_dump(document, allow_unicode=True)
        place = place[key]


@given(broken_configurations())
def test_any_configuration_is_taken_or_refused_by_a_path(text: str) -> None:
    error = refusal(text)

    assert error is None or error.faults or error.message.startswith(("not valid YAML", "the YAML"))


def refusal(text: str) -> InvalidInput | None:
    try:
        parse_configuration(parse_yaml(text))
    except InvalidInput as error:
        return error
    return None


@pytest.mark.parametrize(
    ("rule", "task", "value", "label"),
    [
        ("{event: e, positive: {equals: yes}}", Task.BINARY, "yes", 1),
        ("{event: e, positive: {equals: yes}}", Task.BINARY, "no", 0),
        ("{event: e, map: {yes: 1, no: 0}}", Task.BINARY, "no", 0),
        ("{event: e, map: {1: 1, 0: 0}}", Task.BINARY, 1.0, 1),
        ("{event: e, map: {true: 1, false: 0}}", Task.BINARY, True, 1),
        ("{event: e, map: {norway: NO}}", Task.MULTICLASS, "norway", "NO"),
        ("{event: e, map: {time: 12:30}}", Task.MULTICLASS, "time", "12:30"),
        ("{event: e, map: {post code: 01234}}", Task.MULTICLASS, "post code", "01234"),
    ],
)
def test_rule_reads_feedback_as_its_text_is_written(rule: str, task: Task, value: Any, label: Any) -> None:
    parsed = parse_configuration({**SMALLEST, "task": task.value, "labels": parse_yaml(f"rules: [{rule}]")})

    assert rule_label(parsed.labels.rules[0], [value], task) == label


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("{aggregate: sum, positive: {equals: yes}}", "positive.equals"),
        ("{aggregate: mean, positive: {equals: '1.0'}}", "positive.equals"),
        ("{aggregate: count, positive: {equals: 0.5}}", "positive.equals"),
        ("{aggregate: count, positive: {equals: 0}}", "positive.equals"),
        ("{aggregate: count, positive: {equals: false}}", "positive.equals"),
        ("{aggregate: count, positive: {less_than: 1}}", "positive.less_than"),
        ("{aggregate: count, positive: {at_most: 0}}", "positive.at_most"),
        ("{aggregate: count, map: {up: 1}}", "map.up"),
        ("{aggregate: count, map: {'0': 1}}", "map.0"),
        ("{aggregate: sum, positive: {less_than: -1e30}}", "positive.less_than"),
        ("{positive: {greater_than: 1e31}}", "positive.greater_than"),
        ("{positive: {equals: 1e31}}", "positive.equals"),
    ],
)
def test_rule_that_no_value_can_meet_is_refused(rule: str, path: str) -> None:
    labels = {"rules": [{"event": "e", **parse_yaml(rule)}]}

    with pytest.raises(InvalidInput) as refused:
        parse_configuration({**SMALLEST, "labels": labels})

    assert f"labels.rules[0].{path}" in {fault.path for fault in refused.value.faults}


@pytest.mark.parametrize(
    "rule",
    [
        "{aggregate: sum, positive: {equals: 3}}",
        "{aggregate: sum, positive: {equals: '3'}}",
        "{aggregate: sum, positive: {equals: true}}",
        "{aggregate: count, positive: {equals: 1}}",
        "{aggregate: count, positive: {at_most: 1}}",
        "{aggregate: count, map: {1: 0, 2: 1}}",
        "{aggregate: mean, positive: {less_than: 0}}",
    ],
)
def test_rule_that_some_value_meets_is_taken(rule: str) -> None:
    labels = {"rules": [{"event": "e", **parse_yaml(rule)}]}

    assert parse_configuration({**SMALLEST, "labels": labels}).labels.rules[0].event == "e"


@pytest.mark.parametrize(
    ("text", "is_advised"),
    [
        ("task: binary features: {}", True),
        ("task: binary\nfeatures: {}: {}", False),
        ("{task: binary, features: {}", False),
        ("task: [binary", False),
    ],
)
def test_document_whose_lines_curl_has_joined_is_advised_how_they_are_kept(text: str, is_advised: bool) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_yaml(text)
    assert ("use --data-binary" in refused.value.message) is is_advised

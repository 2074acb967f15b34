"""JSON from outside is read exactly, or refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.core import compact_json
from hindsight.core.errors import InvalidInput

numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(st.characters(exclude_categories=["Cs"])),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text("abc"), children, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_values_come_back_exactly(value: object) -> None:
    assert compact_json.loads(compact_json.dumps(value)) == value


@given(st.dictionaries(st.text("abc"), numbers))
def test_equal_objects_have_equal_text(value: dict[str, float]) -> None:
    shuffled = dict(reversed(value.items()))

    assert compact_json.dumps(shuffled) == compact_json.dumps(value)


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "[Infinity]",
        "1e999",
        "9" * 400,
        "12345678901234567890",
        "{",
        "",
        '{"a":1,"a":2}',
        '"\\ud800"',
        b'"\xff"',
        "[" * 100 + "]" * 100,
        "[" * 100_000,
    ],
)
def test_value_that_cannot_be_kept_exactly_is_refused(text: str | bytes) -> None:
    with pytest.raises(InvalidInput):
        compact_json.loads(text)


@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_an_error(body: bytes) -> None:
    try:
        value = compact_json.loads(body)
    except InvalidInput:
        return
    assert value == json.loads(body)


@pytest.mark.parametrize("opened", ['{"a":0,"a":', '{"a":0,"a":[', '{"a":0,"a":{"b":'])
def test_objects_in_objects_that_repeat_a_key_take_no_more_room_than_they_have(opened: str) -> None:
    closed = "".join({"{": "}", "[": "]"}[character] for character in reversed(opened) if character in "{[")

    value = compact_json.parse(opened * 15 + '"NaN"' + closed * 15)

    assert len(compact_json.dumps_as_sent(value)) <= 15 * len(opened + closed) + len('"NaN"')


def test_long_text_of_an_object_that_repeats_a_key_is_cut() -> None:
    value = compact_json.parse('{"a":0,"a":' * 15 + f'"{"x" * 100_000}"' + "}" * 15)

    assert len(value) == compact_json.MAX_UNUSABLE_TEXT


@pytest.mark.parametrize("text", ['{"a":{"b":1,"b":[NaN,{"c":1,"c":"\\ud800"}]}}', '{"\\ud800":1,"\\ud800":2}'])
def test_value_as_it_was_sent_has_the_same_fault_and_can_be_encoded(text: str) -> None:
    value = compact_json.parse(text)
    fault = compact_json.unusable(value, "item")

    sent = compact_json.dumps_as_sent(value).encode()

    assert fault is not None
    assert fault.path.encode()
    assert compact_json.unusable(compact_json.parse(sent), "item") == fault

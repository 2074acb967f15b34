"""One definition of an id, at every door: in requests, in files, in paths."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from hindsight.adapters.predictions_table.prediction_items import key_of_partition, partition_key
from hindsight.config.types import is_identifier
from hindsight.core import compact_json
from hindsight.entities.feedback import Feedback
from hindsight.entities.prediction import PredictionKey
from hindsight.validation.items import Identifier
from tests.identifiers import IDENTIFIERS
from tests.unit.labels.builders import event

_REQUESTS = TypeAdapter[str](Identifier)
EDGES = (*map(chr, range(0xA2)), *map(chr, range(0x2000, 0x2070)), "\u3000", "\ufeff", "\ufffe", "\uffff", "\U0010ffff")


@pytest.mark.parametrize(
    ("text", "is_id"),
    [
        ("_V1StGXR8-Z5jdHi6B", True),
        ("-x", True),
        ("a b", True),
        ("Ольга/№ 7", True),
        ("می\u200cخواهم", True),
        ("👩\u200d👩\u200d👧", True),
        ("x" * 128, True),
        ("😀" * 128, True),
        ("x" * 129, False),
        ("", False),
        (" a", False),
        ("a\u3000", False),
        ("a\u00a0", False),
        ("a\nb", False),
        ("a\x7f", False),
        ("a\u2028b", False),
        ("a\u202eb", False),
        ("a\u200bb", False),
        ("\ufeffa", False),
    ],
)
def test_any_text_that_can_be_seen_is_an_id(text: str, is_id: bool) -> None:
    assert is_identifier(text) is is_id


@given(st.text(st.characters(codec="utf-8") | st.sampled_from(EDGES), max_size=130) | IDENTIFIERS)
@example("a\n")
@example("a" * 129)
def test_requests_and_files_take_the_same_ids(text: str) -> None:
    line = compact_json.dumps({**event("a").to_plain(), "feedback_id": text}).encode()
    assert (
        _taken(lambda: _REQUESTS.validate_python(text))
        == _taken(lambda: msgspec.json.decode(line, type=Feedback))
        == is_identifier(text)
    )


@given(IDENTIFIERS, IDENTIFIERS)
def test_two_predictions_never_share_a_partition(one: str, other: str) -> None:
    first, second = PredictionKey("bikes", one), PredictionKey("bikes", other)
    assert (partition_key(first) == partition_key(second)) is (one == other)
    assert key_of_partition(partition_key(first)) == first
    assert len(partition_key(first).encode()) < 1024


def _taken(read: object) -> bool:
    try:
        read()  # type: ignore[operator]
    except (ValidationError, msgspec.ValidationError):
        return False
    return True

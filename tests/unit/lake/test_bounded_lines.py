"""A byte order mark, as editors and spreadsheets write it, costs no line."""

import io
from codecs import BOM_UTF8

import pytest

from hindsight.config.documents.strict_yaml import parse_yaml
from hindsight.core import compact_json
from hindsight.lake.bounded_lines import BoundedLine, bounded_lines


def test_mark_before_the_first_line_is_left_out_and_any_other_stays() -> None:
    content = BOM_UTF8 + b'{"a": 1}\n' + BOM_UTF8 + b"{}\n"
    found = list(bounded_lines(io.BytesIO(content), max_line=100, max_total=1000))
    assert found == [BoundedLine(b'{"a": 1}\n'), BoundedLine(BOM_UTF8 + b"{}\n")]


@pytest.mark.parametrize("parse", [compact_json.loads, parse_yaml, lambda text: compact_json.loads(text.encode())])
def test_document_with_a_mark_is_read_as_without(parse: object) -> None:
    assert parse('\ufeff{"task": "binary"}') == {"task": "binary"}  # type: ignore[operator]

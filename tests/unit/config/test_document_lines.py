"""Lines of a document at which faults of it lie."""

import pytest

from hindsight.config.documents.lines import with_lines
from hindsight.core.errors import Fault, InvalidInput

YAML = "task: binary\nfeatures:\n  a.b: {type: x}\nlabels:\n  rules:\n    - {event: a}\n    - event: b\n      kid: c\n"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("features.a.b.type", 3),
        ("labels.rules[1].kid", 8),
        ("labels.rules[1].window", 7),
        ("labels.rules[7].event", 5),
        ("gate.floor", 1),
        ("", 1),
    ],
)
def test_fault_lies_at_its_key_or_at_its_nearest_parent(path: str, line: int) -> None:
    found = with_lines(InvalidInput("no", (Fault(path, "is wrong"),)), YAML)
    assert [fault.line for fault in found.faults] == [line]


def test_lines_of_json_are_found_too() -> None:
    found = with_lines(InvalidInput("no", (Fault("labels.rules", "is wrong"),)), '{\n "labels": {\n  "rules": 1}}')
    assert found.faults[0].to_json() == {"path": "labels.rules", "message": "is wrong", "line": 3}


def test_document_that_cannot_be_read_has_no_lines() -> None:
    error = InvalidInput("no", (Fault("a", "is wrong"),))
    assert with_lines(error, "a: [") is error
    assert error.faults[0].to_json() == {"path": "a", "message": "is wrong"}

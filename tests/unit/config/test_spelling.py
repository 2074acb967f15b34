"""Misspelt names and the known ones that they are like."""

import pytest

from hindsight.config.documents.spelling import MAX_KNOWN, MAX_NAME, meant
from hindsight.config.parse import parse_configuration
from hindsight.core.errors import InvalidInput
from hindsight.testing.builders.configuration import document

MANY = [f"{chr(97 + place % 26) * 9}{place}" for place in range(MAX_KNOWN)]


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("plann", ["age", "plan"], "; is it 'plan'?"),
        ("colour", ["age", "plan"], ""),
        ("plann", [*MANY[1:], "plan"], "; is it 'plan'?"),
        ("plann", [*MANY, "plan"], ""),
        ("a" * MAX_NAME, ["a" * (MAX_NAME + 1)], f"; is it '{'a' * (MAX_NAME + 1)}'?"),
        ("a" * (MAX_NAME + 1), ["a" * MAX_NAME], ""),
    ],
)
def test_name_is_compared_with_the_first_known_ones(name: str, known: list[str], said: str) -> None:
    assert meant(name, known) == said


def test_misspelt_field_is_asked_for_the_one_that_is_meant_wherever_it_lies() -> None:
    misspelt = {**document(), "feature": {}, "labels": {"rules": [{"event": "churn", "windw": "P1D"}]}}
    with pytest.raises(InvalidInput) as refused:
        parse_configuration(misspelt)
    found = {fault.path: fault.message for fault in refused.value.faults}
    assert found["feature"] == "is not a known field; is it 'features'?"
    assert found["labels.rules[0].windw"] == "is not a known field; is it 'window'?"


def test_only_a_few_of_many_unknown_fields_are_compared() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_configuration({**document(), **{f"features{number}": 1 for number in range(9)}})
    assert len(refused.value.faults) == 9
    assert sum("is it" in fault.message for fault in refused.value.faults) == 3

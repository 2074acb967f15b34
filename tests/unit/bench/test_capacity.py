"""docs/capacity.md says what its command counts, and holds what is promised."""

import json
from typing import Any

import pytest

from bench.capacity.__main__ import PAGE, SPEEDS, defaults
from bench.capacity.counts import Units, count
from bench.capacity.page import with_tables
from bench.capacity.parts import Part, bottleneck, parts_of

PROMISED = 5_000


@pytest.fixture(scope="module")
def counts() -> dict[str, Units]:
    return count()


@pytest.fixture(scope="module")
def parts(counts: dict[str, Units]) -> list[Part]:
    measured: dict[str, Any] = json.loads(SPEEDS.read_text(encoding="utf-8"))
    return parts_of(counts, measured["microseconds"], defaults())


def test_page_shows_what_is_counted(counts: dict[str, Units], parts: list[Part]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page, counts, parts) == page, "make capacity writes the tables anew"


def test_one_model_takes_what_is_promised_by_raised_quotas_alone(parts: list[Part]) -> None:
    first = bottleneck(parts)
    assert first.most is not None
    assert first.most >= PROMISED, first


def test_every_part_that_ends_below_the_promise_by_default_names_what_lifts_it(parts: list[Part]) -> None:
    for part in parts:
        if part.default < PROMISED:
            assert any(word in part.lifted_by for word in ("quota", "parameter", "form")), part


def test_units_are_as_the_adapters_write_them(counts: dict[str, Units]) -> None:
    alone, batched = counts["saved in a call of one"], counts["saved in a full call"]
    assert (alone["writes"], batched["writes"], alone["writes:due"]) == (1, 2, 1)
    # A transaction of head, event and label record.
    assert counts["joined with its outcome"]["writes"] == 6
    assert counts["joined with its outcome"]["records"] == 3

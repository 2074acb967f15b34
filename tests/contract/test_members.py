"""The index of datasets' rows is kept alike by the fake and by DynamoDB."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.adapters.models_table.member_table import DynamoMembers
from hindsight.datasets.members import ROWS_A_BUCKET, Member, MemberStore, bucket_of, find_member, spread
from hindsight.testing.models.members import InMemoryMembers

MANY = {number: bytes([number % 256]) * 13 for number in range(60)}


@pytest.fixture(params=["in_memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> MemberStore:
    if request.param == "in_memory":
        return InMemoryMembers()
    return DynamoMembers("models", request.getfixturevalue("dynamodb"))


def test_one_bucket_of_each_dataset_comes_back(store: MemberStore) -> None:
    store.replace("m", "d1", MANY)
    store.replace("m", "d2", {7: b"x" * 13})
    assert store.buckets("m", {"d1": 59, "d2": 7, "d3": 0}) == {"d1": MANY[59], "d2": b"x" * 13}
    assert store.buckets("m", {"d2": 6}) == {}
    assert store.buckets("another", {"d1": 1}) == {}


def test_new_index_leaves_nothing_of_the_old_one(store: MemberStore) -> None:
    store.replace("m", "d1", MANY)
    store.replace("m", "d1", {1: b"y" * 13})
    assert store.buckets("m", {"d1": 1}) == {"d1": b"y" * 13}
    assert store.buckets("m", {"d1": 59}) == {}


def test_deleted_dataset_is_gone_and_others_stay(store: MemberStore) -> None:
    store.replace("m", "d1", MANY)
    store.replace("m", "d2", MANY)
    for _ in range(2):
        store.forget("m", "d1")
    assert store.buckets("m", {"d1": 3, "d2": 3}) == {"d2": MANY[3]}


def test_unprocessed_items_are_sent_again(dynamodb: Any) -> None:
    mine = DynamoMembers("models", dynamodb)
    refused = iter([True] * 3)

    def leave_one(parsed: dict[str, Any], params: dict[str, Any] | None = None, **_: Any) -> None:
        if next(refused, False):
            key = {"pk": {"S": "m#members#d1"}, "sk": {"S": "000003"}}
            item = {**key, "entries": {"B": b"late"}}
            parsed["UnprocessedItems"] = {"models": [{"PutRequest": {"Item": item}}]}

    dynamodb.meta.events.register("after-call.dynamodb.BatchWriteItem", leave_one)
    mine.replace("m", "d1", MANY)
    assert mine.buckets("m", {"d1": 3}) == {"d1": b"late"}


@given(st.sets(st.text(min_size=1, max_size=8), max_size=40), st.integers(1, 7), st.text(min_size=1, max_size=8))
def test_every_row_is_in_its_bucket_and_no_other_prediction_is(names: set[str], count: int, other: str) -> None:
    rows = {name: Member(name, "holdout" if len(name) % 2 else "train", len(name)) for name in names}
    buckets = spread(rows.values(), count)
    for name in {*names, other}:
        assert find_member(buckets.get(bucket_of(name, count), b""), name) == rows.get(name)


def test_a_hundred_thousand_rows_are_four_hundred_items_of_four_units_at_most() -> None:
    rows = [Member(f"2026-03-{number:06d}-abcdef", "train", 1) for number in range(100_000)]
    buckets = spread(rows, len(rows) // ROWS_A_BUCKET)
    sizes = [len(entries) + 60 for entries in buckets.values()]
    assert len(buckets) == 400
    assert max(sizes) <= 5 * 1024
    assert sum(-(-size // 1024) for size in sizes) <= 1700

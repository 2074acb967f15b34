"""The contract of lakes, for the fake and S3 alike."""

import gzip
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hindsight.adapters.aws.s3_lake import S3Lake
from hindsight.core.errors import NotFound, UnreadableObject
from hindsight.lake.object_store import LABELS, Lake, day_prefix, keys_between
from hindsight.lake.pack import Member
from hindsight.testing.aws.lake import InMemoryLake


@pytest.fixture(params=["in_memory", "s3"])
def lake(request: pytest.FixtureRequest) -> Lake:
    return InMemoryLake() if request.param == "in_memory" else S3Lake("lake", request.getfixturevalue("bucket"))


def test_rows_come_back_as_they_were_written(lake: Lake) -> None:
    rows: list[dict[str, Any]] = [{"a": 0.1, "b": None}, {"text": "ü\n"}]
    lake.write_lines("rows", rows)

    assert list(lake.read_lines("rows")) == rows


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_lines_are_read_gzipped_or_plain_without_the_blank_ones(bucket: Any, pack: Any) -> None:
    lake = S3Lake("lake", bucket)
    lake.write_bytes("lines", pack(b'{"a":1}\n\n{"a":2}'), "application/x-ndjson")

    assert [row["a"] for row in lake.read_lines("lines")] == [1, 2]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_marks_of_a_pack_are_lines_and_no_rows(lake: Lake, pack: Any) -> None:
    mark = Member("predictions/1", "digest").mark()
    lake.write_bytes("packed", pack(mark + b'\n{"a":1}\n'), "application/x-ndjson")

    assert list(lake.read_lines("packed")) == [{"a": 1}]
    assert [line.rstrip() for line in lake.read_raw_lines("packed")] == [mark, b'{"a":1}']


def test_a_listing_shows_sizes_tags_and_when_objects_were_written(lake: Lake) -> None:
    for name in ("a/1", "a/2", "b/1"):
        lake.write_bytes(name, name.encode() * 2, "text/plain")

    found = list(lake.entries("a/", after="a/1"))

    assert [(entry.key, entry.size, entry.tag) for entry in found] == [("a/2", 6, dict(lake.tags("a/"))["a/2"])]
    assert next(lake.entries("a/1")).written_at <= found[0].written_at
    assert found[0].written_at.tzinfo is not None


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_lines_of_any_length_are_read_in_bounded_pieces(lake: Lake, pack: Any) -> None:
    sent = [b"abc", b"", b"x" * 10, b"y" * 11, b"z" * 20, b"z" * 25, b"end"]
    lake.write_bytes("lines", pack(b"\n".join(sent)), "application/x-ndjson")

    read = list(lake.read_bounded_lines("lines", max_line=10, max_total=1000))

    assert [line.content.rstrip(b"\n") for line in read] == [line[:10] for line in sent]
    assert [line.is_cut for line in read] == [len(line) > 10 for line in sent]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_too_large_object_is_not_read_to_its_end(lake: Lake, pack: Any) -> None:
    lake.write_bytes("bomb", pack(b"first\n" + b"0" * 10_000_000), "application/x-ndjson")
    lines = lake.read_bounded_lines("bomb", max_line=100, max_total=1_000_000)

    assert next(lines).content == b"first\n"
    with pytest.raises(UnreadableObject):
        next(lines)


def test_damaged_gzip_is_reported(lake: Lake) -> None:
    lake.write_bytes("damaged", gzip.compress(b"line\n" * 1000)[:-20], "application/x-ndjson")

    for read in (lake.read_lines, lake.read_raw_lines, partial(lake.read_bounded_lines, max_line=9, max_total=9000)):
        with pytest.raises(UnreadableObject, match="damaged"):
            list(read("damaged"))
    with pytest.raises(NotFound):
        list(lake.read_bounded_lines("missing", max_line=100, max_total=1_000_000))


def test_line_that_is_no_json_is_reported_with_its_object(lake: Lake) -> None:
    lake.write_bytes("objects/1", b'{"a":1}\n{"a":', "application/x-ndjson")

    with pytest.raises(UnreadableObject, match="objects/1 is damaged"):
        list(lake.read_lines("objects/1"))


def test_equal_rows_give_equal_bytes(lake: Lake) -> None:
    lake.write_lines("first", [{"b": 1, "a": 2}])
    lake.write_lines("second", [{"a": 2, "b": 1}])

    assert lake.read_bytes("first") == lake.read_bytes("second")


def test_a_missing_object_is_not_found(lake: Lake) -> None:
    with pytest.raises(NotFound):
        lake.read_bytes("missing")
    with pytest.raises(NotFound):
        list(lake.read_lines("missing"))


def test_a_deleted_object_is_gone_and_may_be_deleted_again(lake: Lake) -> None:
    lake.write_bytes("a/1", b"", "text/plain")
    lake.delete("a/1")
    lake.delete("a/1")

    assert list(lake.keys("a/")) == []
    with pytest.raises(NotFound):
        lake.read_bytes("a/1")


def test_only_one_of_two_concurrent_replacements_succeeds(lake: Lake) -> None:
    lake.write_bytes("a/1", b"first", "text/plain")
    tag = lake.read_tagged("a/1").tag

    assert lake.replace_bytes("a/1", b"second", "text/plain", expected=tag)
    assert not lake.replace_bytes("a/1", b"third", "text/plain", expected=tag)

    content, other = lake.read_tagged("a/1")
    assert content == b"second"
    assert other != tag
    assert lake.replace_bytes("a/1", b"fourth", "text/plain", expected=other)


def test_only_one_of_two_concurrent_creations_succeeds(lake: Lake) -> None:
    assert lake.replace_bytes("a/1", b"first", "text/plain", expected=None)
    assert not lake.replace_bytes("a/1", b"second", "text/plain", expected=None)
    assert lake.read_bytes("a/1") == b"first"


def test_deleted_object_is_not_replaced(lake: Lake) -> None:
    lake.write_bytes("a/1", b"first", "text/plain")
    tag = lake.read_tagged("a/1").tag
    lake.delete("a/1")

    assert not lake.replace_bytes("a/1", b"second", "text/plain", expected=tag)
    with pytest.raises(NotFound):
        lake.read_tagged("a/1")


def test_listing_shows_the_same_tags_as_reading(lake: Lake) -> None:
    for key in ("a/2", "a/1", "b/1"):
        lake.write_bytes(key, key.encode(), "text/plain")

    assert list(lake.tags("a/")) == [(key, lake.read_tagged(key).tag) for key in ("a/1", "a/2")]


def test_keys_are_listed_in_order_from_a_place_on(lake: Lake) -> None:
    for key in ("a/3", "a/1", "b/1", "a/2"):
        lake.write_bytes(key, b"", "text/plain")

    assert list(lake.keys("a/")) == ["a/1", "a/2", "a/3"]
    assert list(lake.keys("a/", after="a/1")) == ["a/2", "a/3"]


def test_a_span_holds_every_day_it_touches_and_no_other(lake: Lake) -> None:
    days = [date(2026, 2, 27) + timedelta(days=offset) for offset in range(5)]
    for day in days:
        lake.write_bytes(f"{day_prefix(LABELS, 'm', day)}1.jsonl.gz", b"", "application/x-ndjson")
        lake.write_bytes(f"{day_prefix(LABELS, 'm2', day)}1.jsonl.gz", b"", "application/x-ndjson")

    start, end = datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 3, 2, 0, tzinfo=UTC)

    assert list(keys_between(lake, LABELS, "m", start, end)) == [
        f"{day_prefix(LABELS, 'm', day)}1.jsonl.gz" for day in days[1:4]
    ]
    assert list(keys_between(lake, LABELS, "m", end, start)) == []


def test_a_piece_of_an_object_is_read_by_itself(lake: Lake) -> None:
    lake.write_bytes("object", b"0123456789", "text/plain")

    assert lake.read_range("object", 3, 4) == b"3456"
    assert lake.read_range("object", 8, 10) == b"89"
    assert lake.read_range("object", 10, 5) == b""
    with pytest.raises(NotFound):
        lake.read_range("nothing", 0, 1)


def test_files_go_up_and_come_back_byte_for_byte(lake: Lake, tmp_path: Path) -> None:
    content = bytes(range(256)) * 40_000  # more than one part of an upload
    (tmp_path / "sent").write_bytes(content)

    lake.upload(tmp_path / "sent", "object", "application/octet-stream")
    lake.download("object", tmp_path / "received")

    assert (tmp_path / "received").read_bytes() == content
    with pytest.raises(NotFound):
        lake.download("nothing", tmp_path / "received")


def test_objects_are_removed_unless_they_were_written_again(lake: Lake) -> None:
    for name in ("day/a", "day/b", "day/c", "other"):
        lake.write_bytes(name, b"first", "text/plain")
    found = {**dict(lake.tags("day/")), "day/gone": "tag"}
    lake.write_bytes("day/b", b"second", "text/plain")

    lake.remove("day/", found)

    assert list(lake.keys("")) == ["day/b", "other"]
    assert lake.read_bytes("day/b") == b"second"


def test_thousands_of_objects_are_removed_in_a_few_calls(lake: Lake) -> None:
    for number in range(1_003):
        lake.write_bytes(f"many/{number:04d}", b"", "text/plain")

    lake.remove("many/", dict(lake.tags("many/")))

    assert list(lake.keys("many/")) == []

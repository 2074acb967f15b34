import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.core.errors import UnreadableObject
from hindsight.lake.pack import Member, Part, emptied_members, is_full, is_mark, is_pack, newest_in, pack_name, parts_of

DAY = "predictions/model=m/date=2026-03-01"
lines = st.lists(st.integers(0, 9).map(lambda number: b'{"prediction_id":"p%d"}' % number), max_size=3)


@given(st.lists(lines, max_size=4))
def test_parts_of_a_pack_are_the_objects_it_was_made_of(contents: list[list[bytes]]) -> None:
    parts = [
        Part(Member(f"{DAY}/{place}.jsonl.gz", f"digest-{place}", "20260301T120000Z"), found)
        for place, found in enumerate(contents)
    ]
    content = b"".join(part.member.mark() + b"\n" + part.content + b"\n" for part in parts)

    found = list(parts_of(f"{DAY}/packed-20260301T120000Z-0000-ab.jsonl.gz", gzip.compress(content)))

    assert [(part.member, list(part.lines)) for part in found] == [(part.member, part.lines) for part in parts]


def test_an_object_that_is_no_pack_is_the_only_part_of_itself() -> None:
    [part] = parts_of(f"{DAY}/1.jsonl.gz", b'{"a":1}\n\n{"a":2}\n')
    assert (part.member.key, part.lines) == (f"{DAY}/1.jsonl.gz", [b'{"a":1}', b'{"a":2}'])


def test_no_row_is_taken_for_a_mark() -> None:
    assert is_mark(Member("key", "digest").mark())
    assert not is_mark(b'{"features":{"#member":["a","b","c"]},"prediction_id":"p"}')


def test_names_of_packs_sort_by_their_newest_member() -> None:
    early, late = (pack_name(f"2026030{day}T120000Z", 0, "ab" * 32, full=day == 2) for day in (1, 2))
    assert early < late
    assert (is_pack(early), is_full(early), is_full(late), newest_in(late)) == (True, False, True, "20260302T120000Z")
    assert not is_pack("labels/model=m/date=2026-03-01/merged-ab.jsonl.gz")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"#member":1}\n', id="mark without a list"),
        pytest.param(b'{"#member":["a"]}\n', id="mark too short"),
        pytest.param(gzip.compress(b"x" * 99)[:-9], id="cut off"),
    ],
)
def test_damaged_pack_is_reported(content: bytes) -> None:
    with pytest.raises(UnreadableObject, match="packed-x"):
        list(parts_of(f"{DAY}/packed-x", content))


def test_members_that_a_rewriting_left_nothing_of_are_named() -> None:
    members = [Member(f"{DAY}/{name}.jsonl.gz", name) for name in "abc"]
    before, after = (
        b"\n".join(line for member in members for line in (member.mark(), *rows.get(member.digest, ())))
        for rows in ({"a": [b"1", b"2"], "b": [b"3"]}, {"a": [b"2"]})
    )
    assert list(emptied_members(f"{DAY}/packed-x", before, after)) == [members[1]]
    assert list(emptied_members(f"{DAY}/packed-x", before, None)) == members[:2]
    assert list(emptied_members(f"{DAY}/x.jsonl.gz", before, None)) == []

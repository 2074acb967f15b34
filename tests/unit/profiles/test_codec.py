import msgspec
import pytest

from hindsight.config.metrics import Task
from hindsight.core.errors import UnreadableObject
from hindsight.profiles.build import profile_rows
from hindsight.profiles.codec import decode, encode
from hindsight.profiles.profile import Profile
from tests.unit.profiles.builders import FEATURES, exact_parts, rows


@pytest.mark.parametrize("task", list(Task))
def test_profile_is_decoded_unchanged(task: Task) -> None:
    profile = profile_rows(rows(150), FEATURES, task)

    assert exact_parts(decode(encode(profile))) == exact_parts(profile)


def test_profile_of_many_rows_is_no_larger_than_one_of_a_few_thousand() -> None:
    few = profile_rows(rows(6_000), FEATURES, Task.BINARY)
    many = Profile.merged([few] * 1_000)

    assert many.rows == 6_000_000
    assert len(encode(many)) < 2 * len(encode(few)) < 200_000


@pytest.mark.parametrize("content", [b"", b"{", b"\xff" * 20, msgspec.msgpack.encode({"a": 1})])
def test_bytes_that_are_no_profile_are_unreadable(content: bytes) -> None:
    with pytest.raises(UnreadableObject):
        decode(content)


def test_damaged_profile_and_later_format_are_unreadable() -> None:
    content = encode(profile_rows(rows(50), FEATURES, Task.BINARY))
    fields = msgspec.msgpack.decode(content)

    for damaged in (
        content[:-30],
        msgspec.msgpack.encode([2, *fields[1:]]),
        msgspec.msgpack.encode([*fields[:3], [*fields[3][:6], b"xx", None], *fields[4:]]),
        msgspec.msgpack.encode([*fields[:3], [*fields[3][:6], None, None], *fields[4:]]),
    ):
        with pytest.raises(UnreadableObject):
            decode(damaged)

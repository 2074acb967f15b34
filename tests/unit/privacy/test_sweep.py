"""Versions are read side by side, and come in their order all the same."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from threading import Lock

import pytest

from hindsight.core.errors import NotFound
from hindsight.privacy.passes import ErasurePass, KeyVersions
from hindsight.privacy.stores import ObjectVersion
from hindsight.testing.aws.lake import InMemoryLake


class SlowVersions:
    """Versions whose bytes are their names; those with ``gone`` in it are gone."""

    def __init__(self) -> None:
        self.lock, self.reading, self.most, self.ahead = Lock(), 0, 0, 0

    def under(self, prefix: str, after: str = "") -> Iterator[ObjectVersion]:
        pytest.fail("nothing but reading was asked for")

    def read(self, version: ObjectVersion) -> bytes:
        with self.lock:
            self.reading += 1
            self.ahead += version.size
            self.most = max(self.most, self.reading)
        time.sleep(0.005)
        with self.lock:
            self.reading -= 1
        if "gone" in version.key:
            raise NotFound(version.key)
        return f"{version.key} {version.version_id}".encode()

    def purge(self, versions: Sequence[ObjectVersion]) -> None:
        pytest.fail("nothing but reading was asked for")

    def purge_all(self, prefix: str) -> Iterator[int]:
        pytest.fail("nothing but reading was asked for")


def key(name: str, versions: int = 2, size: int = 10) -> KeyVersions:
    found = [
        ObjectVersion(
            key=name,
            version_id=str(place),
            tag="t",
            is_current=place == 0,
            written_at=datetime(2026, 3, 1, tzinfo=UTC),
            size=size,
        )
        for place in range(versions)
    ]
    return KeyVersions(name, found)


def test_versions_come_key_by_key_with_their_bytes_and_are_read_side_by_side() -> None:
    versions = SlowVersions()
    keys = [key(f"{number:03d}{'gone' * (number == 50)}") for number in range(100)]

    found = list(ErasurePass(InMemoryLake(), versions).read(keys))

    assert [(name, [read.version for read in together]) for name, together in found] == keys
    assert {read.content for read in found[50][1]} == {None}
    assert [read.content for read in found[7][1]] == [b"007 0", b"007 1"]
    assert versions.most >= 8


@pytest.mark.parametrize("size", [1 << 20, 64 << 20])
def test_no_more_bytes_are_read_ahead_than_fit(size: int) -> None:
    versions = SlowVersions()
    reading = ErasurePass(InMemoryLake(), versions).read([key(str(number), 1, size) for number in range(60)])
    next(reading)
    assert versions.ahead <= max(size, 32 << 20)
    assert len(list(reading)) == 59

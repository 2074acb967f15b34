"""Objects of a versioned bucket, the replaced ones too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectVersion:
    """One version of an object that holds ``size`` bytes; ``tag`` is another for other bytes."""

    key: str
    version_id: str
    tag: str
    is_current: bool
    written_at: datetime
    size: int = 0


class ObjectVersions(Protocol):
    """Every version of every object."""

    def under(self, prefix: str, after: str = "") -> Iterator[ObjectVersion]:
        """List the versions of the keys that start with a prefix and sort after a text, by key, the newest first."""

    def read(self, version: ObjectVersion) -> bytes:
        """Read the bytes of a version. Raises NotFound."""

    def purge(self, versions: Sequence[ObjectVersion]) -> None:
        """Remove versions for good; one that is gone is removed already. Raises Unavailable if one cannot be.

        Removing the current version of an object restores the previous one: delete the object first.
        """

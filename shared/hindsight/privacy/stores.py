"""The ports of erasures: items of the tables by their subject, and objects of a versioned bucket with all versions."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hindsight.entities.feedback import MatchKey


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Rows of an entity: ``prediction_id``, ``features`` and, where there is one, ``reference``.

    ``after`` is where the search goes on, empty at its end.
    """

    rows: Sequence[Mapping[str, Any]]
    after: str


class SubjectCollections(Protocol):
    """The port that finds and erases item collections."""

    def find(self, model: str, entity_id: str, received_by: datetime, after: str = "") -> Iterator[FoundPage]:
        """Find, page by page, an entity's predictions received by a moment; every page has its checkpoint.

        The whole table is read: nothing but an erasure asks for an entity.
        """

    def erase(self, model: str, prediction_id: str, expires_at: int) -> int:
        """Remove a prediction with all that belongs to it; return how many items there were.

        Its mark is kept until ``expires_at`` (epoch seconds), so that neither feedback nor the same
        prediction that comes late brings it back. Raises Unavailable.
        """


class SubjectKeys(Protocol):
    """The port that erases what predictions and events share: an entity, or a reference."""

    def shared(self, keys: Sequence[MatchKey], entity_id: str) -> set[MatchKey]:
        """Find the keys that a stored prediction of another entity, or of none, carries."""

    def erase(self, key: MatchKey, received_by: datetime) -> Iterator[int]:
        """Remove the events and the entries of a key that were received by a moment; yield their number, page by page.

        What is left after a page is what the next call begins with. Raises Unavailable.
        """

    def withdraw(self, key: MatchKey, prediction_ids: Set[str]) -> int:
        """Remove the entries of some predictions under a key and leave its events; return how many there were.

        Raises Unavailable.
        """


@dataclass(frozen=True, slots=True)
class ErasedPage:
    """The number of items that a page of a table lost; and where the removal goes on, empty at its end."""

    items: int
    after: str


class ModelItemsEraser(Protocol):
    """The port that erases a model's items from one table."""

    def erase(self, model: str, job_id: str, after: str = "") -> Iterator[ErasedPage]:
        """Remove, page by page, all items of a model but its configuration's and those of one job.

        The whole table is read: items of many kinds have keys that nothing lists. Raises Unavailable.
        """


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

    def purge_all(self, prefix: str) -> Iterator[int]:
        """Remove every object under a prefix for good, marks of deleted ones too; yield their number, page by page.

        What is left after a page is what the next call begins with. Raises Unavailable if one cannot be removed.
        """

"""The predictions of an entity, with all that belongs to them, in the predictions table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Rows of an entity: ``prediction_id`` and ``features``; and where the search goes on, empty at its end."""

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

"""The serving pointer of a model and its moves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.times import format_time, parse_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """What serves: the champion, where its artefact lies, and how often the pointer has moved."""

    champion: str
    sequence: int
    updated_at: datetime
    artifact_key: str
    artifact_digest: str
    previous: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the pointer as operators see it and as it is kept, absent parts left out."""
        shown: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        shown["updated_at"] = format_time(self.updated_at)
        return {name: value for name, value in shown.items() if value is not None}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Pointer":
        """Return the pointer that ``to_json`` showed."""
        known = {name: row[name] for name in cls.__slots__ if name in row}
        return cls(**(known | {"updated_at": parse_time(row["updated_at"])}))


@dataclass(frozen=True, slots=True, kw_only=True)
class PointerMove:
    """One move of the pointer: the ``sequence``-th, counted from 1. ``decision_id`` is absent for a person's."""

    sequence: int
    to_version: str
    why: str
    by: str
    at: datetime
    from_version: str | None = None
    decision_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the move as operators see it and as it is kept, absent parts left out."""
        shown: dict[str, Any] = {
            "sequence": self.sequence,
            "from": self.from_version,
            "to": self.to_version,
            "why": self.why,
            "by": self.by,
            "at": format_time(self.at),
            "decision_id": self.decision_id,
        }
        return {name: value for name, value in shown.items() if value is not None}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "PointerMove":
        """Return the move that ``to_json`` showed."""
        return cls(
            sequence=row["sequence"],
            from_version=row.get("from"),
            to_version=row["to"],
            why=row["why"],
            by=row["by"],
            at=parse_time(row["at"]),
            decision_id=row.get("decision_id"),
        )


def pointer_after(move: PointerMove, artifact_key: str, artifact_digest: str) -> Pointer:
    """Return the pointer a move leads to."""
    return Pointer(
        champion=move.to_version,
        previous=move.from_version,
        sequence=move.sequence,
        updated_at=move.at,
        artifact_key=artifact_key,
        artifact_digest=artifact_digest,
    )

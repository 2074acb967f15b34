"""The serving pointer of a model and its moves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from hindsight.core.times import format_time, parse_time


class TrialMode(StrEnum):
    """How a challenger is tried beside the champion: a canary answers a share of traffic, a shadow none."""

    CANARY = "canary"
    SHADOW = "shadow"


class Change(StrEnum):
    """What a move of the pointer did."""

    PROMOTED = "promoted"
    CANARY_STARTED = "canary_started"
    SHADOW_STARTED = "shadow_started"
    TRIAL_WITHDRAWN = "trial_withdrawn"
    ROLLED_BACK = "rolled_back"
    PROBATION_PASSED = "probation_passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A challenger beside the champion; ``share`` is the share of entities a canary answers, None of a shadow."""

    version: str
    mode: TrialMode
    artifact_key: str
    artifact_digest: str
    since: datetime
    share: float | None = None
    decision_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the trial as operators see it and as it is kept, absent parts left out."""
        return _present({**_fields(self), "mode": self.mode.value, "since": format_time(self.since)})

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Trial":
        """Return the trial that ``to_json`` showed."""
        return cls(**{**row, "mode": TrialMode(row["mode"]), "since": parse_time(row["since"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Probation:
    """A champion is watched closely since it took over from ``against``, to which it would be rolled back."""

    against: str
    since: datetime

    def to_json(self) -> dict[str, Any]:
        """Return the probation as operators see it and as it is kept."""
        return {"against": self.against, "since": format_time(self.since)}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Probation":
        """Return the probation that ``to_json`` showed."""
        return cls(against=row["against"], since=parse_time(row["since"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """What serves: the champion, where its artefact lies, what is tried beside it, and how often the pointer moved.

    ``serving_since`` is when the champion took over, ``updated_at`` the last move, of whatever kind. ``previous`` is
    where a rollback leads unless it names a version.
    """

    champion: str
    sequence: int
    updated_at: datetime
    serving_since: datetime
    artifact_key: str
    artifact_digest: str
    previous: str | None = None
    trial: Trial | None = None
    probation: Probation | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the pointer as operators see it and as it is kept, absent parts left out."""
        times = {"updated_at": format_time(self.updated_at), "serving_since": format_time(self.serving_since)}
        parts = {name: part and part.to_json() for name, part in (("trial", self.trial), ("probation", self.probation))}
        return _present({**_fields(self), **times, **parts})

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Pointer":
        """Return the pointer that ``to_json`` showed."""
        known = {name: row[name] for name in cls.__slots__ if name in row}
        known |= {name: parse_time(row[name]) for name in ("updated_at", "serving_since")}
        if "trial" in row:
            known["trial"] = Trial.from_json(row["trial"])
        if "probation" in row:
            known["probation"] = Probation.from_json(row["probation"])
        return cls(**known)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointerMove:
    """One move of the pointer: the ``sequence``-th, counted from 1; never changed once written.

    ``from_version`` and ``to_version`` are the champion before and after, one and the same where only a trial began or
    ended; then ``challenger`` names the version tried. ``decision_id`` is absent for a person's move.
    """

    sequence: int
    change: Change
    to_version: str
    why: str
    by: str
    at: datetime
    from_version: str | None = None
    challenger: str | None = None
    decision_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the move as operators see it and as it is kept, absent parts left out."""
        return _present(
            {
                "sequence": self.sequence,
                "change": self.change.value,
                "from": self.from_version,
                "to": self.to_version,
                "challenger": self.challenger,
                "why": self.why,
                "by": self.by,
                "at": format_time(self.at),
                "decision_id": self.decision_id,
            }
        )

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "PointerMove":
        """Return the move that ``to_json`` showed."""
        return cls(
            sequence=row["sequence"],
            change=Change(row["change"]),
            from_version=row.get("from"),
            to_version=row["to"],
            challenger=row.get("challenger"),
            why=row["why"],
            by=row["by"],
            at=parse_time(row["at"]),
            decision_id=row.get("decision_id"),
        )


def _fields(part: Any) -> dict[str, Any]:
    return {name: getattr(part, name) for name in part.__slots__}


def _present(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if value is not None}

"""A version as the registry keeps it: what it is, what it proved, and what it was made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from hindsight.core.times import format_time, parse_time


class Verdict(StrEnum):
    """What the gate said about a challenger."""

    PROMOTE = "promote"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing the gate looked at: the number found, the number it had to reach or stay below, and the verdict.

    ``value`` is None where the number is undefined, ``limit`` where the configuration asks for none.
    """

    name: str
    passed: bool
    value: float | None = None
    limit: float | None = None
    detail: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the check as JSON objects."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRecord:
    """One version, never changed once written.

    ``metrics`` are the version's on the holdout, ``champion_metrics`` those of ``compared_with`` on the same rows;
    both are absent for a version judged without a champion. ``pointer_sequence`` is how often the serving pointer had
    moved when the gate judged (0: nothing served), so that a verdict over another champion is not acted on.
    ``candidates`` says how every candidate of the run did; ``card_key`` is the page of the model card. From
    ``expired_at`` on, what the lake held of the version is gone: it can serve no more.
    """

    version: str
    created_at: datetime
    candidate: str
    decision_id: str
    dataset_id: str
    configuration_revision: int
    code_version: str
    artifact_key: str
    artifact_digest: str
    verdict: Verdict
    checks: tuple[Check, ...] = ()
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    compared_with: str | None = None
    champion_metrics: Mapping[str, float | None] | None = None
    notes: tuple[str, ...] = ()
    candidates: tuple[Mapping[str, Any], ...] = ()
    pointer_sequence: int = 0
    card_key: str | None = None
    expired_at: datetime | None = None

    @property
    def reasons(self) -> list[str]:
        """What stood against the version, check by check; empty for one that passed."""
        return [f"{check.name}: {check.detail}" for check in self.checks if not check.passed]

    def to_json(self) -> dict[str, Any]:
        """Return the record as operators see it and as it is kept, absent parts left out."""
        shown: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        shown |= {
            "created_at": format_time(self.created_at),
            "verdict": self.verdict.value,
            "checks": [check.to_json() for check in self.checks],
            "metrics": dict(self.metrics),
            "champion_metrics": None if self.champion_metrics is None else dict(self.champion_metrics),
            "notes": list(self.notes),
            "candidates": [dict(candidate) for candidate in self.candidates],
            "expired_at": None if self.expired_at is None else format_time(self.expired_at),
        }
        return {name: value for name, value in shown.items() if value is not None}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "VersionRecord":
        """Return the record that ``to_json`` showed."""
        known = {name: row[name] for name in cls.__slots__ if name in row}
        known |= {
            "created_at": parse_time(row["created_at"]),
            "verdict": Verdict(row["verdict"]),
            "checks": tuple(Check(**check) for check in row["checks"]),
            "notes": tuple(row["notes"]),
            "candidates": tuple(row["candidates"]),
            "expired_at": parse_time(row["expired_at"]) if "expired_at" in row else None,
        }
        return cls(**known)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRecord:
    """One snapshot: where its manifest lies and what it holds.

    ``buckets`` is over how many its rows are spread in the index of members, None where there is no index. From
    ``expired_at`` on, the lake holds no more of it than the manifest, from which it could be built again.
    """

    dataset_id: str
    manifest_key: str
    digest: str
    as_of: datetime
    configuration_revision: int
    counts: Mapping[str, Any]
    buckets: int | None = None
    expired_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the record as operators see it and as it is kept."""
        shown: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        shown |= {
            "as_of": format_time(self.as_of),
            "counts": dict(self.counts),
            "expired_at": None if self.expired_at is None else format_time(self.expired_at),
        }
        return {name: value for name, value in shown.items() if value is not None}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "DatasetRecord":
        """Return the record that ``to_json`` showed."""
        known = {name: row[name] for name in cls.__slots__ if name in row}
        known |= {"as_of": parse_time(row["as_of"])}
        known |= {"expired_at": parse_time(row["expired_at"])} if "expired_at" in row else {}
        return cls(**known)

"""The newest result of a check, as triggers and operators read it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Protocol

from msgspec import field

from hindsight.core.codec import Record
from hindsight.core.times import format_time
from hindsight.lake.object_store import CHECKS, day_prefix


class CheckKind(StrEnum):
    """The kind of a check."""

    DRIFT = "drift"
    PERFORMANCE = "performance"
    ESTIMATE = "estimated_performance"
    JOIN_HEALTH = "join_health"
    FEEDBACK = "feedback"


class Verdict(StrEnum):
    """The verdict of a check; ``insufficient`` where there is too little data to judge.

    ``suspect`` is evidence that is not enough: people see it, but it rings no alarm and asks for no retraining.
    """

    OK = "ok"
    SUSPECT = "suspect"
    DRIFT = "drift"
    LOW = "low"
    INSUFFICIENT = "insufficient"


class Check(Record, frozen=True, kw_only=True):
    """One check of one version, or of a model that has none yet: its verdict, reason and numbers.

    ``champion`` is given of a version that is logged beside one.
    ``summary`` is short for any number of features; ``report_key`` is the key of the whole report in the
    lake, ``page_key`` that of its page, if there is one.
    """

    model: str
    kind: CheckKind
    at: datetime
    verdict: Verdict
    reason: str
    model_version: str | None = None
    champion: str | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    report_key: str | None = None
    page_key: str | None = None

    def to_plain(self) -> dict[str, Any]:
        """Convert to plain values, as the check is stored and shown to operators: an empty summary too."""
        return {"summary": {}} | super().to_plain()


class CheckStore(Protocol):
    """The newest check of every model and kind, and those of the versions beside its champion."""

    def put(self, check: Check) -> None:
        """Store a check, unless a newer one of its kind is stored: a replayed check must not hide it."""

    def latest(self, model: str, kind: CheckKind) -> Check | None:
        """Read the newest check, None before the first."""

    def put_beside(self, model: str, at: datetime, checks: Sequence[Check]) -> None:
        """Store the checks of all versions beside a champion, in place of an earlier round's."""

    def beside(self, model: str) -> list[Check]:
        """Read the checks of the versions beside the champion, of the newest round."""


def report_key(model: str, kind: CheckKind, at: datetime, version: str | None = None) -> str:
    """Build the key of a check's report: one name a moment and version, so that a repeated check replaces itself."""
    return f"{day_prefix(CHECKS, model, at.date())}{format_time(at)}{report_ending(kind, version)}"


def report_ending(kind: CheckKind, version: str | None = None) -> str:
    """Build the end of the keys of a kind's reports, of a version's alone if one is named.

    >>> report_ending(CheckKind.DRIFT), report_ending(CheckKind.DRIFT, "v1")
    ('-drift.json', '-658321d8edc9-drift.json')
    """
    # A version's name may hold what no key can.
    tag = "" if version is None else f"-{blake2b(version.encode(), digest_size=6).hexdigest()}"
    return f"{tag}-{kind}.json"


def page_key(model: str, at: datetime, version: str | None = None) -> str:
    """Build the key of a drift check's page, beside its report."""
    return report_key(model, CheckKind.DRIFT, at, version).removesuffix(".json") + ".html"

"""The registry's record of a version: what it is, what it proved, and what it was made from; and that of a dataset."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from hindsight.core.codec import Record


class Verdict(StrEnum):
    """The gate's verdict on a challenger."""

    PROMOTE = "promote"
    REJECT = "reject"
    UNJUDGED = "unjudged"


class Check(Record, frozen=True, kw_only=True, omit_defaults=False):
    """One check of the gate: the number found, the number it had to reach or stay below, and the verdict.

    ``value`` is None where the number is undefined, ``limit`` where the configuration asks for none.
    """

    name: str
    passed: bool
    value: float | None = None
    limit: float | None = None
    detail: str = ""


def gap_note(rows: Mapping[str, int]) -> str | None:
    """Describe the rows that a dataset leaves out between and after its parts, None where there are none.

    >>> gap_note({"train": 611, "holdout": 420, "gap": 1069, "immature": 0})
    '1,069 rows left out: not due before the holdout began'
    >>> gap_note({"train": 611, "holdout": 420, "gap": 0, "immature": 80})
    '80 rows left out: too young, most of their like are not due'
    """
    reasons = {"gap": "not due before the holdout began", "immature": "too young, most of their like are not due"}
    notes = [f"{rows[name]:,} rows left out: {reason}" for name, reason in reasons.items() if rows.get(name)]
    return "; ".join(notes) or None


class VersionRecord(Record, frozen=True, kw_only=True):
    """One version, never changed once written.

    ``metrics`` are the version's on the holdout, ``champion_metrics`` those of ``compared_with`` on the same rows;
    both are absent for a version judged without a champion. ``pointer_sequence`` is how often the serving pointer had
    moved when the gate judged (0: nothing served), so that a verdict over another champion is not acted on.
    ``rows`` counts the dataset's rows to ``train`` on, of the ``holdout``, in the ``gap`` between them, and
    those left out as ``immature``.
    ``candidates`` has how every candidate of the run did; ``card_key`` is the page of the model card. From
    ``expired_at`` on, the lake no longer holds its artefact: it can serve no more. ``registration`` is what was asked
    for a version that was made elsewhere, with the digest of the scores it was judged by.
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
    metrics: Mapping[str, float | None] = msgspec.field(default_factory=dict)
    compared_with: str | None = None
    champion_metrics: Mapping[str, float | None] | None = None
    notes: tuple[str, ...] = ()
    rows: Mapping[str, int] = msgspec.field(default_factory=dict)
    candidates: tuple[Mapping[str, Any], ...] = ()
    pointer_sequence: int = 0
    card_key: str | None = None
    expired_at: datetime | None = None
    registration: Mapping[str, Any] = msgspec.field(default_factory=dict)

    @property
    def is_external(self) -> bool:
        """True if another server answers with it: there is no artefact of it here."""
        return not self.artifact_key

    @property
    def reasons(self) -> list[str]:
        """The reasons against the version, check by check; empty for one that passed."""
        return [f"{check.name}: {check.detail}" for check in self.checks if not check.passed]

    def to_plain(self) -> dict[str, Any]:
        """Convert to plain values for operators: empty lists and the sequence 0 too, absent parts left out."""
        empty: dict[str, Any] = {"checks": [], "metrics": {}, "notes": [], "candidates": [], "pointer_sequence": 0}
        return empty | super().to_plain()


class DatasetRecord(Record, frozen=True, kw_only=True):
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

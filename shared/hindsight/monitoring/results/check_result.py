"""What one kind of check found of one model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hindsight.monitoring.results.check import CheckKind, Verdict
from hindsight.monitoring.results.measurement import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A verdict with its reason, and what is made of it.

    ``summary`` is short and stays with the newest check, ``report`` is the whole and goes to the lake, ``page`` is the
    same for people, as HTML; ``measurements`` are published.
    """

    kind: CheckKind
    verdict: Verdict
    reason: str
    summary: Mapping[str, Any]
    report: Mapping[str, Any]
    measurements: Sequence[Measurement] = ()
    page: str | None = None
    model_version: str | None = None

"""The result of one kind of check of one model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hindsight.monitoring.results.check import CheckKind, Verdict
from hindsight.monitoring.results.measurement import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """A verdict with its reason, summary, report and measurements.

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
    champion: str | None = None

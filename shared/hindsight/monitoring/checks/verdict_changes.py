"""Announcing that a check has found something that the one before it had not."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from hindsight.core.announcements import Announcement, Announcements
from hindsight.core.times import format_time
from hindsight.monitoring.results.check import Check, CheckKind, CheckStore, Verdict

_FOUND = {
    (CheckKind.DRIFT, Verdict.DRIFT): "DriftDetected",
    (CheckKind.PERFORMANCE, Verdict.LOW): "PerformanceLow",
    (CheckKind.ESTIMATE, Verdict.LOW): "EstimatedPerformanceLow",
}


@dataclass(frozen=True, slots=True)
class VerdictAnnouncer:
    """Tells of a bad verdict when it comes, not every hour that it lasts.

    Call it once the report lies in the lake and before the check is stored: a crash in between announces twice, the
    other way round it would never be announced. ``link`` gives the address at which an object of the lake can be read.
    """

    checks: CheckStore
    announcements: Announcements
    link: Callable[[str], str]

    def announce(self, check: Check) -> None:
        """Announce a check if it finds what the newest stored one did not. Raises Unavailable."""
        found = announcement_of(self.checks.latest(check.model, check.kind), check)
        if found is not None:
            page = {} if check.page_key is None else {"page_url": self.link(check.page_key)}
            self.announcements.publish([replace(found, data={**found.data, **page})])


def announcement_of(before: Check | None, check: Check) -> Announcement | None:
    """Return what to announce: None if nothing is wrong, was as wrong before of that version, or is of the past."""
    name = _FOUND.get((check.kind, check.verdict))
    if name is None or (before is not None and (before.at > check.at or _says_the_same(before, check))):
        return None
    return Announcement(
        name=name,
        correlation_id=f"{check.model}/{check.kind}/{format_time(check.at)}",
        at=check.at,
        data=check.to_json(),
    )


def _says_the_same(before: Check, check: Check) -> bool:
    return (before.verdict, before.model_version) == (check.verdict, check.model_version)

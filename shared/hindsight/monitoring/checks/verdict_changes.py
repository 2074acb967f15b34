"""Announcements of verdicts that the check before did not have."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from hindsight.core.announcements import Announcement, Announcements
from hindsight.core.times import format_time
from hindsight.monitoring.results.check import Check, CheckStore
from hindsight.monitoring.results.findings import finding_of


@dataclass(frozen=True, slots=True)
class VerdictAnnouncer:
    """The announcer of a bad verdict when it comes, not every hour that it lasts.

    Call it once the report lies in the lake and before the check is stored: a crash in between announces twice, the
    other way round it would never be announced. ``link`` builds the address of an object of the lake.
    """

    checks: CheckStore
    announcements: Announcements
    link: Callable[[str], str]

    def announce(self, check: Check) -> None:
        """Announce a check whose bad verdict the newest stored one did not have. Raises Unavailable."""
        if finding_of(check) is None:
            return
        found = announcement_of(self._before(check), check)
        if found is not None:
            page = {} if check.page_key is None else {"page_url": self.link(check.page_key)}
            self.announcements.publish([replace(found, data={**found.data, **page})])

    def _before(self, check: Check) -> Check | None:
        """Find the check before, of a version beside the champion among those."""
        if check.champion is None:
            return self.checks.latest(check.model, check.kind)
        of_check = (check.kind, check.model_version)
        others = (other for other in self.checks.beside(check.model) if (other.kind, other.model_version) == of_check)
        return next(others, None)


def announcement_of(before: Check | None, check: Check) -> Announcement | None:
    """Build the announcement of a bad verdict, None if the version's check before had it or a newer one is stored."""
    found = finding_of(check)
    if found is None or (before is not None and (before.at > check.at or _is_same_verdict(before, check))):
        return None
    return Announcement(
        name=found.event,
        correlation_id=f"{check.model}/{check.kind}/{format_time(check.at)}",
        at=check.at,
        data=check.to_plain(),
    )


def _is_same_verdict(before: Check, check: Check) -> bool:
    return (before.verdict, before.model_version) == (check.verdict, check.model_version)

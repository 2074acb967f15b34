from datetime import UTC, datetime, timedelta

import pytest

from hindsight.monitoring.checks.verdict_changes import VerdictAnnouncer
from hindsight.monitoring.results.check import Check, CheckKind, Verdict
from hindsight.testing.aws.announcements import InMemoryAnnouncements
from hindsight.testing.models.check_store import InMemoryChecks

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Round:
    """Checks as the monitor makes them: announced, then stored."""

    def __init__(self) -> None:
        self.checks = InMemoryChecks()
        self.bus = InMemoryAnnouncements()

    def find(self, kind: CheckKind, verdict: Verdict, hour: int = 0, version: str = "v1") -> list[str]:
        """List the names of the announcements."""
        at = NOW + hour * HOUR
        check = Check(model="bike", kind=kind, at=at, model_version=version, verdict=verdict, reason="r", page_key="p")
        before = len(self.bus.published)
        VerdictAnnouncer(self.checks, self.bus, "https://lake.example/{}".format).announce(check)
        self.checks.put(check)
        return [announcement.name for announcement in self.bus.published[before:]]


@pytest.mark.parametrize(
    ("kind", "verdict", "name"),
    [
        (CheckKind.DRIFT, Verdict.DRIFT, "DriftDetected"),
        (CheckKind.PERFORMANCE, Verdict.LOW, "PerformanceLow"),
        (CheckKind.ESTIMATE, Verdict.LOW, "EstimatedPerformanceLow"),
        (CheckKind.JOIN_HEALTH, Verdict.LOW, "OutcomesOutOfWindow"),
        (CheckKind.FEEDBACK, Verdict.LOW, "FeedbackWithoutEffect"),
    ],
)
def test_bad_verdict_is_announced_once_and_again_after_a_better_one(
    kind: CheckKind, verdict: Verdict, name: str
) -> None:
    rounds = Round()
    assert rounds.find(kind, Verdict.OK, 0) == []
    assert rounds.find(kind, verdict, 1) == [name]
    assert rounds.find(kind, verdict, 2) == []
    assert rounds.find(kind, Verdict.OK, 3) == []
    assert rounds.find(kind, verdict, 4) == [name]


def test_first_check_can_be_bad_and_so_can_that_of_another_version() -> None:
    rounds = Round()
    assert rounds.find(CheckKind.DRIFT, Verdict.DRIFT) == ["DriftDetected"]
    assert rounds.find(CheckKind.DRIFT, Verdict.DRIFT, 1, "v2") == ["DriftDetected"]


def test_check_of_the_past_is_not_announced() -> None:
    rounds = Round()
    rounds.find(CheckKind.DRIFT, Verdict.OK, 5)
    assert rounds.find(CheckKind.DRIFT, Verdict.DRIFT, 1) == []


def test_announcement_that_a_crash_left_unstored_is_made_again_under_the_same_id() -> None:
    rounds = Round()
    announcer = VerdictAnnouncer(rounds.checks, rounds.bus, str)
    check = Check(model="bike", kind=CheckKind.DRIFT, at=NOW, model_version="v1", verdict=Verdict.DRIFT, reason="r")
    announcer.announce(check)
    announcer.announce(check)
    first, second = rounds.bus.published
    assert first == second
    assert first.correlation_id == "bike/drift/2026-03-01T12:00:00.000000Z"


def test_announcement_links_the_page() -> None:
    rounds = Round()
    rounds.find(CheckKind.DRIFT, Verdict.DRIFT)
    assert rounds.bus.published[0].data["page_url"] == "https://lake.example/p"

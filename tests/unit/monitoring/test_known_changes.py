"""Known changes: checks whose window holds a part of one name it, ring no alarm and ask for no retraining."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hindsight.core.errors import InvalidInput
from hindsight.monitoring.drift.input_drift import drift_measurements
from hindsight.monitoring.drift.version_drift import VersionDrift, check_version_drift
from hindsight.monitoring.results.check import Check, CheckKind, Verdict
from hindsight.monitoring.results.findings import finding_of
from hindsight.monitoring.results.monitored_version import MonitoredVersion
from hindsight.profiles.codec import encode
from hindsight.profiles.logs.hourly import WindowProfile
from hindsight.profiles.profile import Profile
from hindsight.profiles.reference import reference_key
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.builders.configuration import configuration
from tests.unit.monitoring.windows import trained_on, window

SHIFTED = window(temperature=lambda rng: float(rng.uniform() ** 3))
REFORM = {"from": "2026-03-03", "reason": "price reform"}


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)


def checked(now: str, *changes: dict[str, str], found: Profile = SHIFTED) -> VersionDrift:
    lake = InMemoryLake()
    lake.write_bytes(reference_key("bike-demand", "v1"), encode(trained_on()), "application/octet-stream")
    version = MonitoredVersion(version="v1", since=at("2026-01-01"), gate_value=None)
    rules = configuration(monitoring={"known_changes": changes})
    return check_version_drift(lake, rules, version, WindowProfile({"v1": found}), at(now))


def test_drift_in_a_window_that_holds_a_known_change_is_suspect_and_names_it() -> None:
    drift = checked("2026-03-05")
    assert drift.report.verdict is Verdict.DRIFT
    known = checked("2026-03-05", REFORM)
    assert known.report.verdict is Verdict.SUSPECT
    assert known.report.reason == f"known change: price reform (2026-03-03); {drift.report.reason}"
    assert known.report.summary()["known_changes"] == ["price reform (2026-03-03)"]
    assert known.report.features == drift.report.features
    assert "known_changes" not in drift.report.summary()


def test_known_change_rings_no_alarm_and_is_no_finding() -> None:
    for changes, rings in (((), True), ((REFORM,), False)):
        report = checked("2026-03-05", *changes).report
        found = {number.name for number in drift_measurements("bike-demand", "v1", report)}
        assert ("DriftDetected" in found) is rings
        check = Check(
            model="bike-demand", kind=CheckKind.DRIFT, at=at("2026-03-05"), verdict=report.verdict, reason=report.reason
        )
        assert (finding_of(check) is not None) is rings


@pytest.mark.parametrize(
    ("change", "first", "last"),
    [
        ({}, "2026-03-03T00:00:01", "2026-03-10T23:59:59"),
        ({"to": "2026-03-05"}, "2026-03-03T00:00:01", "2026-03-12T23:59:59"),
        ({"from": "2026-03-03T12:00:00Z"}, "2026-03-03T12:00:01", "2026-03-11T11:59:59"),
        ({"to": "2026-03-03T06:00:00+01:00"}, "2026-03-03T00:00:01", "2026-03-10T04:59:59"),
    ],
)
def test_check_knows_a_change_from_its_beginning_until_the_window_has_left_it(
    change: dict[str, str], first: str, last: str
) -> None:
    second = timedelta(seconds=2)
    moments = [at(first) - second, at(first), at(last), at(last) + second]
    known = configuration(monitoring={"known_changes": [REFORM | change]}).monitoring
    assert [bool(known.known_at(moment)) for moment in moments] == [False, True, True, False]


def test_check_without_drift_names_a_known_change_too() -> None:
    report = checked("2026-03-05", REFORM, found=window()).report
    assert (report.verdict, report.reason) == (
        Verdict.OK,
        "known change: price reform (2026-03-03); 0 of 3 features drift",
    )


def test_page_names_known_changes_escaped() -> None:
    page = checked("2026-03-05", REFORM | {"reason": "<b>reform</b>"}).page()
    assert "&lt;b&gt;reform&lt;/b&gt; (2026-03-03)" in page
    assert "<b>reform" not in page


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"to": "2026-03-02"}, "monitoring.known_changes[0].to"),
        ({"to": "2026-03-03T00:00:00Z"}, "monitoring.known_changes[0].to"),
        ({"from": "2026-02-30"}, "monitoring.known_changes[0].from"),
        ({"from": "3 March"}, "monitoring.known_changes[0].from"),
        ({"from": "2026-03-03T00:00:00"}, "monitoring.known_changes[0].from"),
        ({"reason": ""}, "monitoring.known_changes[0].reason"),
        ({"because": "x"}, "monitoring.known_changes[0].because"),
    ],
)
def test_fault_of_a_known_change_is_named_by_its_path(change: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        configuration(monitoring={"known_changes": [REFORM | change]})
    assert [fault.path for fault in caught.value.faults] == [path]

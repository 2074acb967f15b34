from datetime import UTC, datetime, timedelta

import pytest

from hindsight.evaluation.sequential.alpha_spending import level_of
from hindsight.monitoring.drift.recent_window import WEEK
from hindsight.monitoring.drift.version_drift import check_version_drift
from hindsight.monitoring.results.check import Verdict
from hindsight.monitoring.results.monitored_version import MonitoredVersion
from hindsight.profiles.codec import encode
from hindsight.profiles.logs.hour import HourProfiles, encode_hour
from hindsight.profiles.logs.hourly import WindowProfile, hour_key, window_profile
from hindsight.profiles.profile import Profile
from hindsight.profiles.reference import reference_key
from hindsight.testing.aws.lake import InMemoryLake
from tests.unit.monitoring.windows import Draw, profile_of, rows, rules, trained_on

NOW = datetime(2026, 3, 8, 12, 30, tzinfo=UTC)
PROMOTED = NOW - timedelta(days=20)
MODEL = "bike-demand"
BINARY = "application/octet-stream"


def champion(version: str = "v2") -> MonitoredVersion:
    return MonitoredVersion(version=version, since=PROMOTED, gate_value=None)


def lake_with(hours: list[dict[str, Profile]], reference: Profile | None = None) -> InMemoryLake:
    """Build a lake with the profiles by version of each hour back from now, and usual ones a week before them."""
    lake = InMemoryLake()
    for back, by_version in enumerate(hours):
        hour = NOW - timedelta(hours=back)
        before = {version: drawn(profile.rows, 100 + back) for version, profile in by_version.items()}
        for moment, found in ((hour, by_version), (hour - WEEK, before)):
            lake.write_bytes(key_of(moment), encode_hour(HourProfiles(found)), BINARY)
    if reference is not None:
        lake.write_bytes(reference_key(MODEL, "v2"), encode(reference), BINARY)
    return lake


def key_of(hour: datetime) -> str:
    return hour_key(MODEL, hour.date(), f"{hour.hour:02d}")


def drawn(count: int, seed: int, **columns: Draw) -> Profile:
    return profile_of(rows(count, seed, **columns))


def window_of(lake: InMemoryLake) -> WindowProfile:
    return window_profile(lake, MODEL, NOW - rules().monitoring.window, NOW)


def test_features_of_all_versions_and_scores_of_the_champion_are_compared() -> None:
    hours = [{"v1": drawn(300, hour, score=lambda _: 0.9), "v2": drawn(300, 50 + hour)} for hour in range(4)]
    lake = lake_with(hours, trained_on())
    found = check_version_drift(lake, rules(), champion(), window_of(lake), NOW).report
    assert found.rows == 3_000  # the window begins with the hour a week before
    assert (found.recent_rows, found.week_before_rows) == (600, 600)
    assert found.drifting == []
    assert found.score.verdict is Verdict.OK


def test_version_beside_the_champion_is_compared_by_its_own_features() -> None:
    warm = {"temperature": lambda rng: float(rng.uniform() ** 3)}
    hours = [{"v1": drawn(300, hour, **warm), "v2": drawn(300, 50 + hour)} for hour in range(4)]
    lake = lake_with(hours, trained_on())
    beside = MonitoredVersion(version="v2", since=PROMOTED, gate_value=None, champion="v1")
    found = check_version_drift(lake, rules(), beside, window_of(lake), NOW).report
    assert (found.rows, found.recent_rows, found.drifting) == (1_500, 0, [])
    assert check_version_drift(lake, rules(), champion(), window_of(lake), NOW).report.drifting == ["temperature"]


def test_shift_of_the_last_hour_is_seen_at_once_and_drawn() -> None:
    hours = [{"v2": drawn(600, 1, temperature=lambda rng: float(rng.uniform() ** 3))}]
    hours += [{"v2": drawn(600, 2 + hour)} for hour in range(6)]
    lake = lake_with(hours, trained_on())
    found = check_version_drift(lake, rules(), champion(), window_of(lake), NOW)
    assert found.report.drifting == ["temperature"]
    assert found.report.features["temperature"].recent
    assert "in the newest rows `temperature` is" in found.page()


def test_damaged_hours_are_left_out_and_reported() -> None:
    hours = [{"v2": drawn(600, hour)} for hour in range(4)]
    for damaged, said in ((1, "1 hour could not be read"), (3, "3 hours could not be read")):
        lake = lake_with(hours, trained_on())
        for back in range(damaged):
            lake.write_bytes(key_of(NOW - timedelta(hours=back)), b"damaged", BINARY)
        found = check_version_drift(lake, rules(), champion(), window_of(lake), NOW).report
        assert found.reason == f"0 of 3 features drift; {said}"
        assert found.verdict is Verdict.OK
        assert found.rows == 600 * (5 - damaged)


def test_level_is_the_rest_of_the_champions_alpha_for_the_hour() -> None:
    lake = lake_with([{"v2": drawn(600, 1)}], trained_on())
    found = check_version_drift(lake, rules(alpha=0.02), champion(), window_of(lake), NOW).report
    assert found.level == level_of(0.02, PROMOTED, NOW)


@pytest.mark.parametrize("version", ["v2", "v9"])
def test_champion_without_a_reference_is_insufficient(version: str) -> None:
    lake = lake_with([{"v2": drawn(600, 1)}])
    found = check_version_drift(lake, rules(), champion(version), window_of(lake), NOW)
    assert found.report.verdict is Verdict.INSUFFICIENT
    assert "no feature can be compared with the training reference" in found.page()


def test_window_without_rows_is_insufficient() -> None:
    lake = lake_with([], trained_on())
    found = check_version_drift(lake, rules(), champion(), window_of(lake), NOW).report
    assert found.verdict is Verdict.INSUFFICIENT
    assert found.reason.endswith("0 rows, fewer than the 500 a verdict needs")


def test_page_names_model_version_and_window() -> None:
    lake = lake_with([{"v2": drawn(600, 1)}], trained_on())
    named = champion()
    page = check_version_drift(lake, rules(), named, window_of(lake), NOW).page()
    for said in ("Drift of bike-demand", "<dd>v2</dd>", "2026-03-01 12:30 UTC to 2026-03-08 12:30 UTC"):
        assert said in page

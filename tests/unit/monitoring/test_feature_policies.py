"""Thresholds and weights by feature, features that are ignored, and the share weighted by importance."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from hindsight.config.model import ModelConfiguration
from hindsight.core.errors import InvalidInput
from hindsight.lake.object_store import version_prefix
from hindsight.monitoring.drift.drift_page import ComparedProfiles, drift_page
from hindsight.monitoring.drift.input_drift import DriftReport, drift_measurements
from hindsight.monitoring.drift.version_drift import check_version_drift
from hindsight.monitoring.results.check import Verdict
from hindsight.monitoring.results.monitored_version import MonitoredVersion
from hindsight.profiles.codec import encode
from hindsight.profiles.logs.hourly import WindowProfile
from hindsight.profiles.reference import reference_key
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.builders.configuration import configuration
from tests.unit.monitoring.test_drift_page import HEADING, Reader
from tests.unit.monitoring.windows import drift_of, rules, trained_on, window

SHIFTED = window(temperature=lambda rng: float(rng.uniform() ** 2))
NOW = datetime(2026, 3, 8, 12, tzinfo=UTC)


def of(features: dict[str, Any], **drift: Any) -> ModelConfiguration:
    return rules(features=features, **drift)


def faults(drift: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        configuration(monitoring={"drift": drift})
    return {fault.path: fault.message for fault in caught.value.faults}


def test_threshold_of_a_feature_is_its_own() -> None:
    usual = drift_of(SHIFTED).features["temperature"]
    assert usual.verdict is Verdict.DRIFT
    assert usual.distance is not None
    report = drift_of(SHIFTED, of({"temperature": {"threshold": usual.distance + 0.01}, "hour": {"threshold": 0.001}}))
    assert report.features["temperature"].verdict is Verdict.SUSPECT
    kinds = {name: one.kinds for name, one in report.features.items()}
    limits = {name: found["distribution"].limit for name, found in kinds.items()}
    assert limits == {"hour": 0.001, "temperature": usual.distance + 0.01, "holiday": 0.2}
    assert {found["missing"].limit for found in kinds.values()} == {0.05}


def test_ignored_feature_is_neither_judged_nor_counted_nor_classified() -> None:
    broken = window(1_000, hour=lambda _: None, temperature=lambda rng: float(rng.uniform() ** 4))
    report = drift_of(broken, of({"hour": {"ignore": True}, "temperature": {"ignore": True}}, multivariate=True))
    assert (report.verdict, report.reason) == (Verdict.OK, "0 of 1 features drift")
    assert list(report.features) == ["holiday"]
    assert report.ignored == ["hour", "temperature"]
    assert report.multivariate is not None
    assert report.multivariate.verdict is Verdict.OK
    assert report.multivariate.auc is not None
    assert report.multivariate.auc < 0.6


def test_all_features_ignored_are_insufficient() -> None:
    names = ("hour", "temperature", "holiday")
    assert drift_of(SHIFTED, of({name: {"ignore": True} for name in names})).verdict is Verdict.INSUFFICIENT


@pytest.mark.parametrize(
    ("weights", "share", "verdict"),
    [
        ({}, 1 / 3, Verdict.DRIFT),
        ({"temperature": 8}, 0.8, Verdict.DRIFT),
        ({"hour": 8}, 0.1, Verdict.SUSPECT),
        ({"temperature": 0}, 0.0, Verdict.OK),
        ({"hour": 0, "temperature": 0, "holiday": 0}, 0.0, Verdict.OK),
    ],
)
def test_share_is_of_the_weights(weights: dict[str, float], share: float, verdict: Verdict) -> None:
    report = drift_of(SHIFTED, of({name: {"weight": weight} for name, weight in weights.items()}))
    assert report.drifting == ["temperature"]
    assert report.share == pytest.approx(share)
    assert report.verdict is verdict
    assert ("by weight" in report.reason) is bool(weights)
    [published, *_] = drift_measurements("m", "v", report)
    assert published.value == report.share


def test_page_shows_weights_and_names_ignored_features() -> None:
    report = drift_of(SHIFTED, of({"temperature": {"weight": 8}, "hour": {"ignore": True}}))
    compared = ComparedProfiles(reference=trained_on(), window=SHIFTED, champion_window=SHIFTED)
    read = Reader(drift_page(report, compared, HEADING))
    assert {"weight", "8", "not compared"} <= set(read.texts)
    assert "hour" in read.texts
    plain = Reader(drift_page(drift_of(SHIFTED), compared, HEADING))
    assert {"weight", "not compared"}.isdisjoint(plain.texts)


def by_importance(losses: dict[str, float | None] | None, asked: str = "importance") -> DriftReport:
    lake = InMemoryLake()
    lake.write_bytes(reference_key("bike-demand", "v1"), encode(trained_on()), "application/octet-stream")
    if losses is not None:
        found = [
            {"name": name, "importance": None if loss is None else {"loss": loss, "spread": 0.0}}
            for name, loss in losses.items()
        ]
        card = json.dumps({"features": found}).encode()
        lake.write_bytes(f"{version_prefix('bike-demand', 'v1')}card.json", card, "application/json")
    profiles = WindowProfile({"v1": SHIFTED})
    version = MonitoredVersion(version="v1", since=NOW, gate_value=None)
    return check_version_drift(lake, rules(weights=asked), version, profiles, NOW).report


def test_importance_on_the_card_weighs_the_share() -> None:
    report = by_importance({"temperature": 0.09, "hour": 0.03, "holiday": -0.01})
    assert report.share == pytest.approx(0.75)
    assert report.features["holiday"].weight == 0
    assert by_importance({"temperature": 0.01, "hour": 0.99}).verdict is Verdict.SUSPECT


@pytest.mark.parametrize("losses", [None, {}, {"temperature": None}, {"temperature": 0.0, "hour": -0.1}])
def test_version_without_importances_has_equal_weights(losses: dict[str, float | None] | None) -> None:
    assert by_importance(losses).share == pytest.approx(1 / 3)


def test_importance_does_not_count_unless_it_is_asked_for() -> None:
    assert by_importance({"temperature": 0.01, "hour": 0.99}, "equal").share == pytest.approx(1 / 3)


def test_faults_of_features_are_named_by_their_paths() -> None:
    own = "monitoring.drift.features"
    assert faults({"features": {"temprature": {"threshold": 0.3}}}) == {
        f"{own}.temprature": "is not a declared feature"
    }
    ignored = {"hour": {"ignore": True, "threshold": 0.3, "weight": 2}}
    message = "decides nothing of a feature that is ignored"
    assert faults({"features": ignored}) == {f"{own}.hour.threshold": message, f"{own}.hour.weight": message}
    beyond = {"hour": {"threshold": 1.5}, "temperature": {"threshold": 0.9}}
    assert faults({"method": "jensen_shannon", "features": beyond}) == {
        f"{own}.hour.threshold": "jensen_shannon lies from 0 to 1"
    }
    assert faults({"method": "jensen_shannon", "threshold": 2}) == {
        "monitoring.drift.threshold": "jensen_shannon lies from 0 to 1"
    }
    assert list(faults({"features": {"hour": {"weight": -1}}})) == [f"{own}.hour.weight"]
    assert list(faults({"features": {"hour": {"thresholds": 1}}})) == [f"{own}.hour.thresholds"]

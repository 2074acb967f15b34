from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from hindsight.config.features import Feature, FeatureType
from hindsight.monitoring.drift.domain_classifier import MIN_ROWS, separate
from hindsight.monitoring.drift.input_drift import drift_measurements
from hindsight.monitoring.results.check import Verdict
from hindsight.profiles.profile import Profile
from hindsight.profiles.sample import RowSample
from tests.unit.monitoring.windows import LEVEL, drift_of, profile_of, rows, rules, trained_on, window

FEATURES = {
    "first": Feature(type=FeatureType.NUMERIC),
    "second": Feature(type=FeatureType.NUMERIC),
    "noise": Feature(type=FeatureType.NUMERIC),
    "channel": Feature(type=FeatureType.CATEGORICAL),
    "flag": Feature(type=FeatureType.BOOLEAN),
}
ASKED = rules(multivariate=True)


def drawn(count: int, seed: int, together: float = 0.0) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    first, apart, noise = rng.normal(size=(3, count))
    second = together * first + np.sqrt(1 - together**2) * apart
    return [
        {
            "first": float(first[row]),
            "second": float(second[row]),
            "noise": float(noise[row]),
            "channel": str(rng.choice(["web", "app"])),
            "flag": bool(rng.uniform() < 0.5),
        }
        for row in range(count)
    ]


def test_features_that_move_only_together_are_separated_and_named() -> None:
    found = separate(drawn(1_000, 1), drawn(600, 2, together=0.9), FEATURES, seed=1)
    assert found.auc > 0.7
    assert found.p_value < 1e-9
    assert set(list(found.importance)[:2]) == {"first", "second"}


def test_p_values_hold_where_nothing_differs() -> None:
    p_values = [separate(drawn(220, seed), drawn(200, seed + 500), FEATURES, seed=seed).p_value for seed in range(30)]
    assert sum(p_value <= 0.05 for p_value in p_values) <= 5  # expected at most 1.5; 6 or more would be 1 in 200
    assert min(p_values) > 1e-4


def test_same_rows_and_seed_give_the_same_answer() -> None:
    one, two = (separate(drawn(300, 1), drawn(300, 2, together=0.5), FEATURES, seed=7) for _ in range(2))
    assert (one.auc, one.p_value, one.importance) == (two.auc, two.p_value, two.importance)


def test_values_of_any_kind_are_read() -> None:
    odd = [None, "x", float("nan"), float("inf"), 10**400, True, ["x"], -1e308]
    reference = [{name: odd[(row + place) % len(odd)] for place, name in enumerate(FEATURES)} for row in range(240)]
    found = separate(reference, [*reversed(reference)], FEATURES, seed=1)
    assert found.p_value > 0.01
    assert 0 <= found.auc <= 1


def test_classifier_runs_only_if_configured() -> None:
    assert drift_of(window()).multivariate is None


def test_rows_like_the_training_are_not_separated() -> None:
    report = drift_of(window(), ASKED)
    assert report.multivariate is not None
    assert report.multivariate.verdict is Verdict.OK
    assert report.multivariate.auc == pytest.approx(0.5, abs=0.07)
    assert report.verdict is Verdict.OK


def test_joint_shift_of_features_is_drift_of_the_inputs() -> None:
    one_way = [
        row for row in rows(4_000, 5) if (row["features"]["temperature"] > 0.5) is (row["features"]["hour"] == "8")
    ]
    report = drift_of(profile_of(one_way), ASKED)
    assert report.drifting == []
    assert report.multivariate is not None
    assert report.multivariate.verdict is Verdict.DRIFT
    assert report.verdict is Verdict.DRIFT
    assert report.reason.startswith("a classifier separates the window's rows from the training's (AUC 0.")
    assert report.reason.endswith("; 0 of 3 features drift")
    assert report.summary()["multivariate"]["verdict"] == "drift"
    assert {number.name for number in drift_measurements("m", "v1", report)} == {
        "DriftingFeatureShare",
        "DriftDetected",
    }


def test_small_separation_is_no_drift_however_significant() -> None:
    one_way = [
        row for row in rows(4_000, 5) if (row["features"]["temperature"] > 0.5) is (row["features"]["hour"] == "8")
    ]
    report = drift_of(profile_of(one_way), rules(multivariate=True, multivariate_auc=0.9))
    assert report.multivariate is not None
    assert report.multivariate.p_value is not None
    assert report.multivariate.p_value < LEVEL
    assert report.verdict is Verdict.OK


def test_too_few_sampled_rows_are_insufficient() -> None:
    report = drift_of(replace(window(), sample=RowSample()), ASKED)
    assert report.multivariate is not None
    assert report.multivariate.verdict is Verdict.INSUFFICIENT
    assert report.multivariate.reason == f"2000 rows of the training and 0 of the window, {MIN_ROWS} of each needed"
    assert report.verdict is Verdict.OK


def test_new_column_does_not_separate_the_rows() -> None:
    known = trained_on()
    before = profile_of([{**row, "features": {**row["features"], "hour": None}} for row in rows(2_000, 99)])
    without_hour = replace(before, features={name: known.features[name] for name in ("temperature", "holiday")})
    report = drift_of(window(), ASKED, reference=without_hour)
    assert report.multivariate is not None
    assert report.multivariate.verdict is Verdict.OK
    assert "hour" not in report.multivariate.importance


def test_classifier_does_not_run_without_a_reference() -> None:
    report = drift_of(window(), ASKED, reference=Profile.empty())
    assert report.multivariate is not None
    assert report.multivariate.reason == "no feature can be compared with the training reference"
    assert report.verdict is Verdict.INSUFFICIENT

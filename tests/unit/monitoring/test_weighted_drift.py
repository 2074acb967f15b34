"""Drift of a log that holds a sample of the predictions is that of all of them, with the doubt of a sample."""

from typing import Any

import numpy as np
import pytest

from hindsight.monitoring.drift.domain_classifier import measure_domain
from hindsight.monitoring.drift.feature_verdict import FeatureDrift
from hindsight.monitoring.results.check import Verdict
from tests.unit.monitoring.windows import drift_of, profile_of, rows, rules, trained_on


def sampled(found: list[dict[str, Any]], weight: float) -> list[dict[str, Any]]:
    return [{**row, "weight": weight} for row in found]


def measured(found: list[dict[str, Any]], name: str = "temperature") -> FeatureDrift:
    return drift_of(profile_of(found)).features[name]


def test_log_of_one_in_ten_has_the_distances_of_the_whole_log_and_the_p_values_of_its_rows() -> None:
    some = rows(1_200, 5, temperature=lambda rng: float(rng.uniform(0.1, 1.0)))
    plain, weighted = measured(some), measured(sampled(some, 10.0))
    for kind, expected in plain.kinds.items():
        assert weighted.kinds[kind].size == pytest.approx(expected.size, abs=0.03)
        assert np.log10(weighted.kinds[kind].p_value) == pytest.approx(np.log10(expected.p_value), rel=0.2, abs=0.5)


def test_ten_thousand_in_a_few_rows_are_too_few_for_a_verdict() -> None:
    report = drift_of(profile_of(sampled(rows(40, 6), 1_000.0)))
    assert {found.verdict for found in report.features.values()} == {Verdict.INSUFFICIENT}
    assert report.features["temperature"].reason.startswith("40 rows, fewer than")


def test_window_of_unequal_weights_that_fits_its_training_does_not_drift() -> None:
    found = []
    for seed in range(20, 23):
        rng = np.random.default_rng(seed)
        some = rows(3_000, seed)
        chances = [1.0 if row["features"]["hour"] == "8" else 0.2 for row in some]
        kept = [
            {**row, "weight": 1 / chance} for row, chance in zip(some, chances, strict=True) if rng.random() < chance
        ]
        found.append(drift_of(profile_of(kept)).verdict)
        assert measured(kept, "hour").distance == pytest.approx(0.0, abs=0.05)
        # The same rows without their weights have far fewer of the other hour.
        assert measured([{**row, "weight": None} for row in kept], "hour").verdict is Verdict.DRIFT
    assert set(found) == {Verdict.OK}


def test_classifier_gets_rows_that_resemble_all_predictions() -> None:
    some = [{**row, "weight": 9.0 if row["features"]["hour"] == "8" else 1.0} for row in rows(2_000, 40)]
    found = measure_domain(trained_on(), profile_of(some), rules(multivariate=True))
    assert 1_000 < found.rows < 1_250

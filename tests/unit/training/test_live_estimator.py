"""Estimators of versions made elsewhere: fitted on their own labels, better with more, and left alone once doubted."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from hindsight.config.metrics import Metric
from hindsight.label_records.rows import LabelRows
from hindsight.monitoring.estimation.estimator import Estimator
from hindsight.monitoring.estimation.reconciliation import reconcile
from hindsight.monitoring.estimation.version_estimators import RECONCILED_AT, TOO_FEW_LABELS, VersionEstimators
from hindsight.monitoring.results.check import Verdict
from hindsight.monitoring.results.monitored_version import MonitoredVersion
from hindsight.rollout.evaluation.rows import evenly_sampled
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.models.registry import InMemoryRegistry
from hindsight.training.estimators import live_estimator
from hindsight.training.estimators.estimator_files import load_estimator
from hindsight.training.estimators.live_estimator import MIN_ROWS, LiveEstimators, needed_rows
from tests.unit.monitoring.estimates import binary_rows, configured, learned, profiled

MODEL, NOW = "demand", datetime(2026, 3, 8, tzinfo=UTC)


class World:
    """A model that another server answers for, and the estimator of its version v1."""

    def __init__(self) -> None:
        self.lake, self.configuration = InMemoryLake(), configured()
        self.keeper = LiveEstimators(self.lake, evenly_sampled)
        self.estimators = VersionEstimators(registry=InMemoryRegistry(), load=self.load, fit=self.keeper.update)

    def load(self, model: str, version: str) -> Any:
        fitted = load_estimator(self.lake, model, version)
        return (None, None) if fitted is None else (fitted.estimator, fitted.loss_model)

    def update(self, rows: Any, *, is_trusted: bool = True) -> bool:
        return self.keeper.update(self.configuration, "v1", LabelRows.of(rows), self.estimator, is_trusted=is_trusted)

    @property
    def estimator(self) -> Estimator | None:
        found: Estimator | None = self.load(MODEL, "v1")[0]
        return found


def test_version_gets_an_estimator_with_enough_matured_labels() -> None:
    world = World()
    assert not world.update(binary_rows(MIN_ROWS - 1, 1))
    assert world.estimator is None
    rows = binary_rows(MIN_ROWS, 1)
    assert world.update(rows)
    estimator = world.estimator
    assert estimator is not None
    assert (estimator.rows, estimator.fitted_until) == (MIN_ROWS, datetime(2026, 3, 7, 12, tzinfo=UTC))
    assert estimator.calibration == learned(rows).calibration


def test_estimator_is_fitted_again_on_twice_as_many_labels() -> None:
    world = World()
    world.update(binary_rows(600, 1))
    assert not world.update(binary_rows(1_199, 2))
    assert world.update(binary_rows(1_200, 2))
    assert world.estimator is not None
    assert world.estimator.rows == 1_200


def test_estimator_that_labels_contradict_is_left_as_it_is() -> None:
    world = World()
    world.update(binary_rows(600, 1))
    assert not world.update(binary_rows(5_000, 2), is_trusted=False)


def test_no_more_labels_are_used_than_an_estimator_is_fitted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_estimator, "MAX_ROWS", 700)
    world, rows = World(), binary_rows(900, 1)
    assert world.update(rows)
    estimator = world.estimator
    assert estimator is not None
    assert (estimator.rows, estimator.calibration) == (700, learned(rows[200:]).calibration)
    assert needed_rows(estimator, is_trusted=True) is None


def test_labels_that_an_estimator_was_fitted_on_do_not_reconcile_it() -> None:
    world = World()
    rows = binary_rows(600, 1)
    world.update(rows)
    paired = reconcile(rows, world.estimator, world.configuration, champion="v1", level=RECONCILED_AT)  # type: ignore[arg-type]
    assert paired is None
    later = [{**row, "occurred_at": "2026-03-09T12:00:00.000000Z"} for row in binary_rows(300, 2)]
    paired = reconcile([*rows, *later], world.estimator, world.configuration, champion="v1", level=RECONCILED_AT)  # type: ignore[list-item]
    assert paired is not None
    assert (paired.labels, paired.trusted) == (300, True)


def test_estimate_of_an_external_version_follows_its_first_labels() -> None:
    world = World()
    unseen = profiled(binary_rows(2_000, 3), world.configuration)
    version = MonitoredVersion(version="v1", since=NOW, gate_value=None, champion="v0")

    def check(rows: Any) -> Any:
        return world.estimators.check(unseen, LabelRows.of(rows), world.configuration, version, 0.001)

    before = check(binary_rows(100, 1))
    assert (before.verdict, before.reason) == (Verdict.INSUFFICIENT, TOO_FEW_LABELS)
    found = check(binary_rows(1_500, 1))
    assert found.verdict is Verdict.OK
    realised = np.mean([row["decision"] == row["value"] for row in binary_rows(2_000, 3)])
    assert found.expected.value == pytest.approx(realised, abs=0.03)
    assert found.summary()["fitted_on"] == 1_500
    assert found.summary()["fitted_until"] == "2026-03-07T12:00:00.000000Z"


def test_errors_of_a_regression_are_modelled_by_its_own_labels() -> None:
    world, rng = World(), np.random.default_rng(1)
    world.configuration = configured("regression", metric="mae")
    rows = []
    for place, row in enumerate(binary_rows(600, 1)):
        x = row["features"]["x"]
        rows.append({**row, "score": x, "decision": x, "value": x + rng.normal() * (0.1 + (place % 2))})
    assert world.update(rows)
    estimator, losses = world.load(MODEL, "v1")
    assert estimator.metrics[Metric.MAE].realised == pytest.approx(0.48, abs=0.08)
    assert losses.losses(rows[:3])["absolute"].shape == (3,)

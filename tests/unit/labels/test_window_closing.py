from datetime import timedelta

import pytest

from hindsight.labels.joining.join import JoinCount, LabelJoiner
from hindsight.labels.joining.window_closing import SWEEPS, WindowClosing
from hindsight.labels.store import Share
from hindsight.quarantine.store import Quarantine
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.predictions.allowances import no_limits
from hindsight.testing.predictions.effects import InMemoryEffects
from hindsight.testing.predictions.label_store import InMemoryLabels
from tests.unit.labels.builders import DEMAND, MODEL, RETENTION, at, configuration, key, prediction

DEFAULT = {"value": 0, "after": "P2D"}


def window_closing(store: InMemoryLabels) -> WindowClosing:
    configurations = InMemoryConfigurations(configuration(DEMAND, default=DEFAULT, model=MODEL))
    return WindowClosing(
        store, LabelJoiner(store, Quarantine(InMemoryLake()), configurations, no_limits(), InMemoryEffects())
    )


def test_sweep_closes_due_windows_of_its_model_alone() -> None:
    store = InMemoryLabels()
    store.save(prediction(), RETENTION)
    store.save(prediction("later", hours=1), RETENTION)
    store.save(prediction(model="other"), RETENTION)

    report = window_closing(store).sweep(MODEL, at(48), lambda: True)

    assert (report.examined, report.is_complete, report.lag) == (1, True, timedelta(0))
    assert {model: counts[JoinCount.LABELS] for model, counts in report.joins.counts.items()} == {MODEL: 1}
    assert store.load([key("later")])[0].labels == ()


def test_a_sweep_out_of_time_is_gone_on_with_by_the_next() -> None:
    store = InMemoryLabels(page=1)
    for number in range(5):
        store.save(prediction(f"p-{number}"), RETENTION)
    sweeping = window_closing(store)
    clock = iter([True, True, False])

    assert not sweeping.sweep(MODEL, at(48), lambda: next(clock)).is_complete
    report = sweeping.sweep(MODEL, at(49), lambda: True)

    assert (report.examined, report.is_complete) == (3, True)
    assert all(found.labels for found in store.load([key(f"p-{number}") for number in range(5)]))


def test_sweep_out_of_time_reports_the_lag_of_the_oldest_due_label() -> None:
    store = InMemoryLabels(page=1)
    store.save(prediction("oldest"), RETENTION)
    store.save(prediction("newer", hours=5), RETENTION)

    report = window_closing(store).sweep(MODEL, at(60), lambda: False)

    due_at = store.collections[key("oldest")].head.due_at  # type: ignore[union-attr]
    assert due_at is not None
    assert report.lag == at(60) - due_at > timedelta(hours=10)


def test_without_predictions_a_sweep_is_empty() -> None:
    assert window_closing(InMemoryLabels()).sweep(MODEL, at(0), lambda: True).is_complete


def test_more_than_one_sweep_works_off_is_shared_out_and_the_shares_do_all_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hindsight.labels.joining.window_closing.MUCH_DUE", 30)
    store, shares = InMemoryLabels(), list[bool]()
    for number in range(60):
        store.save(prediction(f"p-{number}"), RETENTION)
    sweeping = window_closing(store)

    report = sweeping.sweep(MODEL, at(49), lambda: True, share_out=lambda: shares.append(True))
    assert (report.examined, report.is_complete, report.is_shared_out, shares) == (0, False, True, [True])

    reports = [sweeping.sweep(MODEL, at(49), lambda: True, Share(number, SWEEPS)) for number in range(SWEEPS)]
    assert sum(report.examined for report in reports) == 60
    assert max(report.examined for report in reports) < 20
    assert sweeping.sweep(MODEL, at(49), lambda: True, share_out=lambda: shares.append(True)).is_complete
    assert len(shares) == 1


def test_little_is_not_shared_out() -> None:
    store, shares = InMemoryLabels(), list[bool]()
    store.save(prediction(), RETENTION)
    report = window_closing(store).sweep(MODEL, at(49), lambda: True, share_out=lambda: shares.append(True))
    assert (report.examined, shares) == (1, [])

from datetime import timedelta

from shared.labels.join import Joined, LabelJoiner
from shared.labels.maturing import Maturing
from shared.labels.quarantine import Quarantine
from tests.fakes.allowances import no_limits
from tests.fakes.configurations import InMemoryConfigurations
from tests.fakes.label_store import InMemoryLabels
from tests.fakes.lake import InMemoryLake
from tests.unit.labels.builders import DEMAND, MODEL, RETENTION, at, configuration, key, prediction

DEFAULT = {"value": 0, "after": "P2D"}


def maturing(store: InMemoryLabels, *models: str) -> Maturing:
    configurations = InMemoryConfigurations(*(configuration(DEMAND, default=DEFAULT, model=model) for model in models))
    return Maturing(
        store,
        LabelJoiner(store, Quarantine(InMemoryLake()), configurations, no_limits()),
        configurations,
    )


def test_a_sweep_matures_what_is_due_of_every_model() -> None:
    store = InMemoryLabels()
    store.save(prediction(), RETENTION)
    store.save(prediction("later", hours=1), RETENTION)
    store.save(prediction(model="other"), RETENTION)

    report = maturing(store, MODEL, "other").sweep(at(48), lambda: True)

    assert (report.examined, report.is_complete) == (2, True)
    assert {model: counts[Joined.LABELS] for model, counts in report.joins.counts.items()} == {MODEL: 1, "other": 1}
    assert store.load([key("later")])[0].labels == ()


def test_a_sweep_out_of_time_is_gone_on_with_by_the_next() -> None:
    store = InMemoryLabels(page=1)
    for number in range(5):
        store.save(prediction(f"p-{number}"), RETENTION)
    sweeping = maturing(store, MODEL)
    clock = iter([True, True, False])

    assert not sweeping.sweep(at(48), lambda: next(clock)).is_complete
    report = sweeping.sweep(at(49), lambda: True)

    assert (report.examined, report.is_complete) == (3, True)
    assert all(found.labels for found in store.load([key(f"p-{number}") for number in range(5)]))


def test_a_backlog_of_one_model_does_not_always_come_first() -> None:
    store = InMemoryLabels()
    store.save(prediction(model="a"), RETENTION)
    store.save(prediction(model="b"), RETENTION)

    first_done = set()
    for turn in range(2):
        clock = iter([True, False])
        now = at(48) + turn * timedelta(minutes=5)
        report = maturing(store, "a", "b").sweep(now, lambda clock=clock: next(clock))
        first_done |= report.joins.counts.keys()
    assert first_done == {"a", "b"}


def test_without_models_a_sweep_is_empty() -> None:
    assert maturing(InMemoryLabels()).sweep(at(0), lambda: True).is_complete

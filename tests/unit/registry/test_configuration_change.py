from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import parse_configuration
from hindsight.config.store import SentDocument
from hindsight.core.errors import Conflict
from hindsight.registry.configuration_change import ConfigurationChanges, effects_of, window_effects
from hindsight.testing.builders.configuration import configuration, document
from hindsight.testing.builders.pointers import promoted
from hindsight.testing.builders.versions import version_record
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.models.registry import InMemoryRegistry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SENT = SentDocument(text="{}", content_type="application/json")
REGRESSION: dict[str, Any] = {
    "model": "bike-demand",
    "task": "regression",
    "features": {"hour": {"type": "categorical"}},
    "labels": {"rules": [{"event": "demand", "window": "P2D"}]},
}


def codes(
    before: ModelConfiguration, after: ModelConfiguration, champion: ModelConfiguration | None = None
) -> list[str]:
    served = {name: feature.type for name, feature in champion.features.items()} if champion else {}
    return [effect.code for effect in effects_of(before, after, served)]


def features(**declared: str) -> ModelConfiguration:
    kinds = {name: {"type": kind} for name, kind in declared.items()}
    return parse_configuration({**document(), "features": kinds, "monitoring": {}})


def test_serving_version_s_features_are_compared_with_the_declared_ones() -> None:
    champion = features(gone="numeric", other="numeric", same="boolean")
    after = features(other="categorical", same="boolean", new="numeric")

    assert codes(after, after, champion) == ["feature_removed", "feature_type_changed", "feature_added"]
    assert codes(after, after, None) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"retention": timedelta(days=500)}, ["retention_changed"]),
        ({"labels": configuration().labels.model_copy(update={"default": None})}, ["labels_changed"]),
        ({"model": "bike-demand"}, []),
    ],
)
def test_changed_section_has_its_effect(change: dict[str, Any], expected: list[str]) -> None:
    assert codes(configuration(), configuration().model_copy(update=change)) == expected


def test_longer_window_changes_labels_and_when_outcomes_are_due() -> None:
    rules = [{**rule, "window": "P9D"} if rule.get("window") else rule for rule in document()["labels"]["rules"]]
    labels = {**document()["labels"], "rules": rules, "default": None}
    after = parse_configuration({**document(), "labels": labels})

    assert codes(configuration(), after) == ["labels_changed", "outcome_delay_changed"]
    (effect,) = (one for one in effects_of(configuration(), after, {}) if one.code == "outcome_delay_changed")
    assert effect.message.endswith("are due after P9D instead of P7D")


class World:
    def __init__(self) -> None:
        self.configurations = InMemoryConfigurations()
        self.changes = ConfigurationChanges(self.configurations, InMemoryRegistry())


@pytest.fixture
def world() -> World:
    return World()


def test_first_configuration_changes_nothing(world: World) -> None:
    preview = world.changes.preview(configuration())
    stored = world.changes.store(configuration(), SENT, NOON, force=False)

    assert preview == stored
    assert (stored.revision, stored.effects, stored.differences) == (1, (), ())


def test_preview_stores_nothing_and_names_each_difference(world: World) -> None:
    world.changes.store(configuration(), SENT, NOON, force=False)
    gate = configuration().gate.model_copy(update={"margin": 0.5})

    preview = world.changes.preview(configuration().model_copy(update={"gate": gate}))

    assert [(found.path, found.before, found.after) for found in preview.differences] == [("gate.margin", 0.0, 0.5)]
    assert preview.revision == 2
    assert world.configurations.current("bike-demand").revision == 1


def test_another_task_is_refused_unless_forced(world: World) -> None:
    world.changes.store(configuration(), SENT, NOON, force=False)
    other = parse_configuration(REGRESSION)

    with pytest.raises(Conflict) as refused:
        world.changes.store(other, SENT, NOON, force=False)
    assert [fault.path for fault in refused.value.faults] == ["task"]
    assert world.configurations.current("bike-demand").revision == 1

    forced = world.changes.store(other, SENT, NOON, force=True)

    assert forced.revision == 2
    assert forced.effects[0].code == "task_changed"


def test_champion_is_compared_by_the_configuration_it_was_trained_by(world: World) -> None:
    world.changes.store(features(gone="numeric", same="boolean"), SENT, NOON, force=False)
    world.changes.store(features(same="boolean"), SENT, NOON, force=False)
    registry = InMemoryRegistry()
    registry.put_version("bike-demand", version_record("v1", NOON, configuration_revision=1))
    registry.move_pointer("bike-demand", promoted("v1", NOON))

    change = ConfigurationChanges(world.configurations, registry).preview(features(same="boolean"))

    assert [effect.code for effect in change.effects] == ["feature_removed"]


def test_training_window_of_which_the_label_delay_leaves_little_is_an_effect() -> None:
    short = parse_configuration({**REGRESSION, "training": {"window": "P4D"}})
    first = ConfigurationChanges(InMemoryConfigurations(), InMemoryRegistry()).preview(short)
    assert [effect.code for effect in first.effects] == ["training_window_short"]
    assert "0 days are left to train on" in first.effects[0].message
    enough = first.effects[0].message.partition("; from ")[2].partition(" ")[0]
    assert (
        codes(parse_configuration(REGRESSION), parse_configuration({**REGRESSION, "training": {"window": enough}}))
        == []
    )
    one_less = f"P{int(enough[1:-1]) - 1}D"
    less = parse_configuration({**REGRESSION, "training": {"window": one_less}})
    assert codes(parse_configuration(REGRESSION), less) == ["training_window_short"]
    assert codes(parse_configuration(REGRESSION), short) == ["training_window_short"]
    assert codes(short, short) == []


def test_training_window_beside_which_the_holdout_leaves_nothing_asks_for_a_smaller_holdout() -> None:
    training = {"window": "P400D", "holdout": 0.8}
    (effect,) = window_effects(parse_configuration({**REGRESSION, "training": training}))
    assert effect.message.endswith("; take a smaller training.holdout")

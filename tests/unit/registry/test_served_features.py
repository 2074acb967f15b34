"""Features that serving versions read are those of their own configuration, not of the newest."""

from datetime import UTC, datetime

import pytest

from hindsight.config.features import FeatureType
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import parse_configuration
from hindsight.registry.pointer import Pointer, Rollout, RolloutMode
from hindsight.registry.served_features import ServedFeatures, kept_for_serving, with_kept_features
from hindsight.testing.builders.configuration import document
from hindsight.testing.builders.versions import version_record
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.models.registry import InMemoryRegistry
from hindsight.validation.features import check_features

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MODEL = "bike-demand"


def features(**declared: str) -> ModelConfiguration:
    kinds = {name: {"type": kind} for name, kind in declared.items()}
    return parse_configuration({**document(), "features": kinds, "monitoring": {}})


def test_champion_s_types_come_before_those_of_the_version_in_a_rollout() -> None:
    configurations, registry = InMemoryConfigurations(), InMemoryRegistry()
    for number, declared in enumerate(
        (features(age="numeric", old="boolean"), features(age="categorical", new="numeric"))
    ):
        configurations.put(declared, NOON)
        registry.put_version(MODEL, version_record(f"v{number}", NOON, configuration_revision=number + 1))
    where = {"artifact_key": "", "artifact_digest": ""}
    rollout = Rollout(version="v1", mode=RolloutMode.SHADOW, since=NOON, **where)
    pointer = Pointer(champion="v0", sequence=1, updated_at=NOON, serving_since=NOON, rollout=rollout, **where)

    served = ServedFeatures(registry, configurations)

    assert served.of(MODEL, pointer) == {"age": "numeric", "old": "boolean", "new": "numeric"}
    assert served.of(MODEL, None) == served.read_by(MODEL, ["unknown"]) == {}
    declared = {name: feature.type for name, feature in features(age="categorical", new="numeric").features.items()}
    assert kept_for_serving(declared, served.of(MODEL, pointer)) == {"age": "numeric", "old": "boolean"}


def test_removed_feature_is_watched_as_it_was_declared_and_a_changed_one_as_it_is() -> None:
    before = parse_configuration(
        {
            **document(),
            "features": {"age": {"type": "numeric", "min": 18, "max": 99}, "plan": {"type": "categorical"}},
            "monitoring": {},
        }
    )
    now = features(plan="boolean", new="numeric")
    watched = with_kept_features(now, before.features).features
    assert list(watched) == ["plan", "new", "age"]
    assert (watched["age"], watched["plan"].type) == (before.features["age"], "boolean")
    assert with_kept_features(now, now.features) is now


@pytest.mark.parametrize(
    ("declared", "served", "value", "is_taken"),
    [
        (None, "numeric", 36.5, True),
        (None, "numeric", "36", False),
        (None, None, 1, False),
        ("categorical", "numeric", 36.5, True),
        ("categorical", "numeric", "old", False),
        ("numeric", "categorical", "old", True),
        ("numeric", "categorical", 36.5, True),
        ("boolean", "numeric", True, False),
        ("numeric", "boolean", 1, False),
        ("numeric", "boolean", True, True),
        ("numeric", "categorical", [1], False),
    ],
)
def test_value_is_taken_if_the_serving_version_can_read_it(
    declared: str | None, served: str | None, value: object, is_taken: bool
) -> None:
    kinds = {"same": "boolean"} | ({"x": declared} if declared else {})
    reads = {"x": FeatureType(served)} if served else {}

    read, faults = check_features({"x": value}, features(**kinds).features, "features", reads)

    assert ([] if is_taken else ["features.x"]) == [fault.path for fault in faults]
    assert (read == {"same": None, "x": value}) is is_taken
    assert check_features({}, features(**kinds).features, "features", reads)[1] == []

"""One suite judges the fake and the adapter."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hindsight.adapters.models_table.registry_table import DynamoRegistry
from hindsight.core.errors import Conflict, NotFound, StaleRun
from hindsight.registry.moves import AuditInfo, PointerStep, Servable, abort_rollout, start_rollout
from hindsight.registry.pointer import RolloutMode
from hindsight.registry.store import Registry
from hindsight.registry.version import Check, DatasetRecord, Verdict, VersionRecord
from hindsight.testing.builders.pointers import promoted
from hindsight.testing.models.registry import InMemoryRegistry

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
VERSION = VersionRecord(
    version="v1",
    created_at=NOW,
    candidate="gradient_boosting",
    decision_id="decision-1",
    dataset_id="d1",
    configuration_revision=2,
    code_version="abc",
    artifact_key="models/v1",
    artifact_digest="aa",
    verdict=Verdict.REJECT,
    checks=(
        Check(name="floor", passed=True, value=0.9, limit=0.7, detail="fine"),
        Check(name="better_than_champion", passed=False, value=-1e-200, detail="worse"),
    ),
    metrics={"accuracy": 0.9, "roc_auc": None, "brier": 1e-200},
    compared_with="v0",
    champion_metrics={"accuracy": 0.91},
    notes=("a note",),
    candidates=({"candidate": "gradient_boosting", "validation_score": 0.9},),
    pointer_sequence=3,
    card_key="models/v1/card.html",
)
DATASET = DatasetRecord(
    dataset_id="d1",
    manifest_key="datasets/d1/manifest.json",
    digest="bb",
    as_of=NOW,
    configuration_revision=2,
    counts={"train": {"rows": 100, "classes": {"0": 40, "1": 60}}},
)
FIRST = promoted("v1", NOW, key="models/v1", decision_id="decision-1")
SECOND_FIRST = promoted("v2", NOW)
SECOND = promoted("v2", NOW + timedelta(days=1), FIRST.pointer, key="models/v2")


@dataclass
class World:
    registry: Registry
    take_lock: Callable[[int], None]


@pytest.fixture(params=["in_memory", "dynamodb"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "in_memory":
        fake = InMemoryRegistry()
        yield World(fake, lambda token: fake.lock_holders.update(m=token))
        return
    client = request.getfixturevalue("dynamodb")

    def take_lock(token: int) -> None:
        run: dict[str, Any] = {"M": {"fencing_token": {"N": str(token)}}}
        client.put_item(TableName="models", Item={"pk": {"S": "m"}, "sk": {"S": "triggers"}, "open_run": run})

    yield World(DynamoRegistry("models", client), take_lock)


@pytest.fixture
def registry(world: World) -> Registry:
    return world.registry


def move(registry: Registry, step: PointerStep, token: int | None = None) -> None:
    registry.move_pointer("m", step, fencing_token=token)


def test_version_of_which_nothing_was_known_is_described_once(registry: Registry) -> None:
    bare = VERSION.replace(metrics={}, notes=())
    registry.put_version("m", bare)
    assert registry.describe_version("m", bare, VERSION) == VERSION
    other = VERSION.replace(notes=("another",))
    assert registry.describe_version("m", bare, other) == VERSION
    assert registry.version("m", "v1") == VERSION


def test_a_version_comes_back_as_it_was_stored(registry: Registry) -> None:
    assert registry.put_version("m", VERSION) == VERSION
    assert registry.version("m", "v1") == VERSION
    assert registry.version("m", "v1").reasons == ["better_than_champion: worse"]


def test_a_dataset_comes_back_as_it_was_stored(registry: Registry) -> None:
    assert registry.put_dataset("m", DATASET) == DATASET
    assert registry.dataset("m", "d1") == DATASET
    assert registry.datasets("m", 10) == [DATASET]


def test_the_first_of_two_records_under_one_name_stays(registry: Registry) -> None:
    registry.put_version("m", VERSION)
    assert registry.put_version("m", VERSION.replace(verdict=Verdict.PROMOTE)) == VERSION
    registry.put_dataset("m", DATASET)
    assert registry.put_dataset("m", DATASET.replace(digest="cc")) == DATASET
    assert registry.version("m", "v1") == VERSION


def test_unregistered_version_is_not_found(registry: Registry) -> None:
    with pytest.raises(NotFound):
        registry.version("m", "v1")
    with pytest.raises(NotFound):
        registry.dataset("m", "d1")
    assert registry.pointer("m") is None
    assert registry.deployment("m", 1) is None
    assert registry.versions("m", 5) == registry.datasets("m", 5) == registry.deployments("m", 5) == []


def test_versions_come_newest_first_and_no_more_than_asked_for(registry: Registry) -> None:
    for name in ("v20260301", "v20260303", "v20260302"):
        registry.put_version("m", VERSION.replace(version=name))
    registry.put_version("other", VERSION.replace(version="v20260309"))
    assert [found.version for found in registry.versions("m", 2)] == ["v20260303", "v20260302"]


def test_versions_and_datasets_are_listed_on_from_a_name_whether_or_not_it_exists(registry: Registry) -> None:
    for day in range(1, 6):
        registry.put_version("m", VERSION.replace(version=f"v2026030{day}"))
        registry.put_dataset("m", DATASET.replace(dataset_id=f"d2026030{day}"))
    assert [found.version for found in registry.versions("m", 2, "v20260304")] == ["v20260303", "v20260302"]
    assert [found.version for found in registry.versions("m", 9, "v20260302x")] == ["v20260302", "v20260301"]
    assert [found.dataset_id for found in registry.datasets("m", 2, "d20260302")] == ["d20260301"]
    assert registry.datasets("m", 2, "a") == registry.versions("m", 2, "v20260301") == []


def test_the_pointer_moves_and_every_move_is_kept(registry: Registry) -> None:
    move(registry, FIRST)
    move(registry, SECOND)
    pointer = registry.pointer("m")
    assert pointer is not None
    assert (pointer.champion, pointer.previous, pointer.sequence) == ("v2", "v1", 2)
    assert (pointer.artifact_key, pointer.updated_at) == ("models/v2", NOW + timedelta(days=1))
    assert registry.deployments("m", 10) == [SECOND.deployment, FIRST.deployment]
    assert registry.deployments("m", 1) == [SECOND.deployment]
    assert registry.deployments("m", 2, 2) == [FIRST.deployment]
    assert registry.deployments("m", 2, 1) == []
    assert registry.deployment("m", 1) == FIRST.deployment


@pytest.mark.parametrize(
    "late",
    [FIRST, promoted("v3", NOW, FIRST.pointer), promoted("v3", NOW, SECOND.pointer.replace(sequence=3))],
)
def test_of_two_that_saw_the_same_pointer_only_one_moves_it(registry: Registry, late: PointerStep) -> None:
    move(registry, FIRST)
    move(registry, SECOND)
    with pytest.raises(Conflict):
        move(registry, late)
    assert registry.deployments("m", 10) == [SECOND.deployment, FIRST.deployment]
    assert getattr(registry.pointer("m"), "champion", None) == "v2"


def test_test_is_loaded_as_it_was_stored(registry: Registry) -> None:
    audit = AuditInfo(reason="a share first", actor="pipeline", at=NOW + timedelta(days=2), decision_id="decision-2")
    challenger = Servable(version="v3", artifact_key="models/v3", artifact_digest="cc")
    started = start_rollout(SECOND.pointer, challenger, RolloutMode.CANARY, 0.1, audit)
    aborted = abort_rollout(started.pointer, replace(audit, decision_id=None))
    for step in (FIRST, SECOND, started):
        move(registry, step)
    assert registry.pointer("m") == started.pointer
    move(registry, aborted)
    assert registry.pointer("m") == aborted.pointer
    assert registry.deployments("m", 2) == [aborted.deployment, started.deployment]


def test_a_run_that_holds_the_lock_moves_the_pointer(world: World) -> None:
    world.take_lock(7)
    move(world.registry, FIRST, token=7)
    assert getattr(world.registry.pointer("m"), "champion", None) == "v1"


@pytest.mark.parametrize("holder", [None, 8])
def test_a_run_that_lost_the_lock_moves_nothing(world: World, holder: int | None) -> None:
    if holder is not None:
        world.take_lock(holder)
    with pytest.raises(StaleRun):
        move(world.registry, FIRST, token=7)
    assert world.registry.pointer("m") is None
    assert world.registry.deployments("m", 10) == []


def test_an_expired_version_keeps_its_record_and_says_when(registry: Registry) -> None:
    registry.put_version("m", VERSION)
    move(registry, SECOND_FIRST)

    for at in (NOW, NOW + timedelta(days=1)):
        assert registry.expire_version("m", "v1", at, pointer_sequence=1)

    assert registry.version("m", "v1") == registry.versions("m", 1)[0] == VERSION.replace(expired_at=NOW)
    assert registry.put_version("m", VERSION) == VERSION.replace(expired_at=NOW)


def test_without_a_pointer_a_version_expires_too(registry: Registry) -> None:
    registry.put_version("m", VERSION)
    assert not registry.expire_version("m", "v1", NOW, pointer_sequence=1)
    assert registry.expire_version("m", "v1", NOW, pointer_sequence=0)


def test_a_version_does_not_expire_once_the_pointer_has_moved(registry: Registry) -> None:
    registry.put_version("m", VERSION)
    move(registry, FIRST)
    assert not registry.expire_version("m", "v1", NOW, pointer_sequence=0)
    move(registry, SECOND)
    assert not registry.expire_version("m", "v1", NOW, pointer_sequence=1)
    assert registry.version("m", "v1").expired_at is None


def test_the_pointer_does_not_move_to_a_version_that_has_expired(registry: Registry) -> None:
    registry.put_version("m", VERSION)
    assert registry.expire_version("m", "v1", NOW, pointer_sequence=0)
    with pytest.raises(Conflict, match="expired"):
        move(registry, FIRST)
    move(registry, SECOND_FIRST)
    tried = Servable(version="v1", artifact_key="k", artifact_digest="d")
    audit = AuditInfo(reason="better", actor="pipeline", at=NOW)
    with pytest.raises(Conflict, match="expired"):
        move(registry, start_rollout(SECOND_FIRST.pointer, tried, RolloutMode.SHADOW, None, audit))
    assert registry.pointer("m") == SECOND_FIRST.pointer
    assert len(registry.deployments("m", 10)) == 1


def test_an_expired_dataset_keeps_its_record_and_says_when(registry: Registry) -> None:
    registry.put_dataset("m", DATASET)
    for at in (NOW, NOW + timedelta(days=1)):
        registry.expire_dataset("m", "d1", at)
    assert registry.dataset("m", "d1") == registry.datasets("m", 1)[0] == DATASET.replace(expired_at=NOW)


def test_unregistered_version_does_not_expire(registry: Registry) -> None:
    with pytest.raises(NotFound):
        registry.expire_version("m", "v1", NOW, pointer_sequence=0)
    with pytest.raises(NotFound):
        registry.expire_dataset("m", "d1", NOW)

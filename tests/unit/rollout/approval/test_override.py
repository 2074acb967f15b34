"""A version that the gate rejected, put into service by a person who says why."""

from datetime import UTC, datetime, timedelta

import pytest

from hindsight.core.errors import Conflict, NotFound, UnusableArtifact
from hindsight.registry.pointer import Change
from hindsight.registry.version import Check, Verdict, VersionRecord
from hindsight.rollout.approval.approval import Answer
from hindsight.rollout.approval.override import Overrides
from hindsight.testing.aws.announcements import InMemoryAnnouncements
from hindsight.testing.builders.pointers import promoted
from hindsight.testing.builders.versions import version_record
from hindsight.testing.models.registry import InMemoryRegistry

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REJECTED = version_record(
    "v2",
    NOW,
    artifact_digest="d2",
    verdict=Verdict.REJECT,
    checks=(
        Check(name="floor", passed=True, value=0.9),
        Check(name="better_than_champion", passed=False, value=-0.01, detail="worse"),
    ),
)
ANSWER = Answer(approved=True, actor="key:operator", reason="the champion knows a closed road", at=NOW)


class World:
    """A registry whose champion is v1 and that holds a rejected v2."""

    def __init__(self) -> None:
        self.registry, self.bus = InMemoryRegistry(), InMemoryAnnouncements()
        self.registry.move_pointer("bike", promoted("v1", NOW - timedelta(days=1)))
        self.registry.put_version("bike", REJECTED)
        self.loaded: list[str] = []
        self.overrides = Overrides(self.registry, self.bus, lambda record: self.loaded.append(record.artifact_key))


@pytest.fixture
def world() -> World:
    return World()


def test_history_names_the_actor_the_version_and_the_reason_of_an_override(world: World) -> None:
    move = world.overrides.take("bike", "v2", ANSWER)
    assert world.loaded == ["models/v2"]
    assert (move.change, move.from_version, move.to_version, move.actor) == (
        Change.PROMOTED,
        "v1",
        "v2",
        "key:operator",
    )
    assert move.reason == "override of the gate's better_than_champion: the champion knows a closed road"
    assert move.decision_id is None
    pointer = world.registry.pointer("bike")
    assert pointer is not None
    assert (pointer.champion, pointer.artifact_digest, pointer.previous) == ("v2", "d2", "v1")
    assert pointer.probation is not None
    [announced] = world.bus.published
    assert (announced.name, announced.data["refused"]) == ("GateOverridden", ["better_than_champion: worse"])


def test_repeated_override_moves_nothing_and_is_announced_again(world: World) -> None:
    first = world.overrides.take("bike", "v2", ANSWER)
    assert world.overrides.take("bike", "v2", ANSWER.replace(reason="again")) == first
    assert len(world.registry.deployments("bike", 10)) == 2
    assert len(world.bus.published) == 2


def test_a_version_that_the_gate_passed_needs_none(world: World) -> None:
    world.registry.put_version("bike", REJECTED.replace(version="v3", verdict=Verdict.PROMOTE))
    with pytest.raises(Conflict, match="needs no override"):
        world.overrides.take("bike", "v3", ANSWER)


def test_a_version_that_has_expired_or_cannot_be_loaded_never_serves(world: World) -> None:
    world.registry.put_version("bike", REJECTED.replace(version="v4", expired_at=NOW))
    with pytest.raises(Conflict, match="has expired"):
        world.overrides.take("bike", "v4", ANSWER)

    def refuse(_: VersionRecord) -> None:
        raise UnusableArtifact("the artefact is not the one that was registered")

    with pytest.raises(Conflict, match="cannot be served"):
        Overrides(world.registry, world.bus, refuse).take("bike", "v2", ANSWER)
    assert len(world.registry.deployments("bike", 10)) == 1
    assert world.bus.published == []


def test_an_unknown_version_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        world.overrides.take("bike", "v9", ANSWER)


def test_a_pointer_that_moves_while_the_version_is_loaded_is_a_conflict(world: World) -> None:
    def overtaken(_: VersionRecord) -> None:
        world.registry.move_pointer("bike", promoted("v5", NOW, world.registry.pointer("bike")))

    with pytest.raises(Conflict, match="has moved meanwhile"):
        Overrides(world.registry, world.bus, overtaken).take("bike", "v2", ANSWER)
    pointer = world.registry.pointer("bike")
    assert pointer is not None
    assert pointer.champion == "v5"

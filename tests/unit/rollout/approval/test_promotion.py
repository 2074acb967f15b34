"""A registered version that a person makes the champion."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hindsight.core.errors import Conflict, InvalidInput, NotFound, Unavailable, UnusableArtifact
from hindsight.registry.external_version import external_version
from hindsight.registry.moves import AuditInfo, Servable, start_rollout
from hindsight.registry.pointer import Change, Pointer, Probation, RolloutMode
from hindsight.registry.version import Check, Verdict, VersionRecord
from hindsight.rollout.approval.approval import Answer, Approval
from hindsight.rollout.approval.promotion import Promotions
from hindsight.testing.aws.announcements import InMemoryAnnouncements
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.builders.pointers import promoted
from hindsight.testing.builders.versions import version_record
from hindsight.testing.models.approvals import InMemoryApprovals
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.models.registry import InMemoryRegistry
from hindsight.validation.timestamps import ClientTimestamps
from tests.event_schemas import require_promised

MODEL = configuration().model
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSED = version_record("v2", NOW, artifact_digest="d2")
FAILED = PASSED.replace(
    version="v3", verdict=Verdict.REJECT, checks=(Check(name="floor", passed=False, value=0.6, detail="too low"),)
)
BODY = {"reason": "the season is over"}


class World:
    """A registry whose champion is v1, and that holds v2, which passed the gate, and v3, which did not."""

    def __init__(self) -> None:
        self.registry, self.bus, self.approvals = InMemoryRegistry(), InMemoryAnnouncements(), InMemoryApprovals()
        self.registry.move_pointer(MODEL, promoted("v1", NOW - timedelta(days=1)))
        for record in (PASSED, FAILED, PASSED.replace(version="v1")):
            self.registry.put_version(MODEL, record)
        self.loaded: list[str] = []
        self.promotions = self.requiring(lambda record: self.loaded.append(record.artifact_key))

    def requiring(self, require_loadable: Callable[[VersionRecord], None]) -> Promotions:
        return Promotions(
            registry=self.registry,
            configurations=InMemoryConfigurations(configuration()),
            approvals=self.approvals,
            announcements=self.bus,
            trust=ClientTimestamps.BOUNDED,
            require_loadable=require_loadable,
        )

    def promote(self, version: str, reason: str = BODY["reason"], **asked: str) -> object:
        return self.promotions.take(MODEL, version, {"reason": reason, **asked}, now=NOW, actor="key:operator")

    def answer_elsewhere(self) -> None:
        """Let another server answer for the model, and register a version of it."""
        self.promotions = replace(
            self.promotions, configurations=InMemoryConfigurations(configuration(serving="external"))
        )
        self.registry.put_version(MODEL, external_version("ours-2", 1, NOW))

    @property
    def pointer(self) -> Pointer:
        pointer = self.registry.pointer(MODEL)
        assert pointer is not None
        return pointer


@pytest.fixture
def world() -> World:
    return World()


def test_promotion_moves_the_pointer_and_leaves_its_audit(world: World) -> None:
    made = world.promote("v2")
    assert world.loaded == [PASSED.artifact_key]
    [newest, _] = world.registry.deployments(MODEL, 10)
    assert newest == made
    assert (newest.change, newest.from_version, newest.to_version) == (Change.PROMOTED, "v1", "v2")
    assert (newest.reason, newest.actor, newest.at) == (BODY["reason"], "key:operator", NOW)
    assert (world.pointer.champion, world.pointer.artifact_digest, world.pointer.previous) == ("v2", "d2", "v1")
    assert world.pointer.probation == Probation(against="v1", since=NOW)
    [announced] = world.bus.published
    require_promised("VersionPromoted", announced.detail())
    assert announced.name == "VersionPromoted"


def test_first_version_of_a_model_is_promoted(world: World) -> None:
    world.registry = InMemoryRegistry()
    world.registry.put_version(MODEL, PASSED)
    world.promotions = world.requiring(lambda _: None)
    world.promote("v2")
    assert (world.pointer.champion, world.pointer.sequence, world.pointer.probation) == ("v2", 1, None)


def test_promotion_past_the_gate_is_recorded_as_an_override(world: World) -> None:
    world.promote("v3")
    [newest, _] = world.registry.deployments(MODEL, 10)
    assert newest.reason == "override of the gate's floor: the season is over"
    [announced] = world.bus.published
    require_promised("GateOverridden", announced.detail())
    assert (announced.name, announced.data["refused"]) == ("GateOverridden", ["floor: too low"])


def test_promotion_ends_a_rollout(world: World) -> None:
    challenger = Servable(version="v9", artifact_key="k9", artifact_digest="d9")
    audit = AuditInfo(reason="drift", actor="pipeline", at=NOW)
    world.registry.move_pointer(MODEL, start_rollout(world.pointer, challenger, RolloutMode.CANARY, 0.1, audit))
    world.promote("v2")
    [newest, *_] = world.registry.deployments(MODEL, 10)
    assert (world.pointer.rollout, newest.challenger) == (None, "v9")


def test_champion_is_not_promoted_again(world: World) -> None:
    with pytest.raises(Conflict, match="v1 serves already"):
        world.promote("v1")
    world.promote("v2")
    with pytest.raises(Conflict, match="v2 serves already"):
        world.promote("v2", "another reason")
    assert (len(world.registry.deployments(MODEL, 10)), len(world.bus.published)) == (2, 1)


def test_event_that_was_not_published_is_published_by_the_same_request(world: World) -> None:
    world.bus.refusals = 1
    with pytest.raises(Unavailable):
        world.promote("v2")
    with pytest.raises(Conflict, match="serves already"):
        world.promote("v2")
    assert [announced.name for announced in world.bus.published] == ["VersionPromoted"]


def test_version_whose_run_waits_for_an_approval_is_to_be_approved(world: World) -> None:
    asked = Approval(
        model=MODEL,
        version="v2",
        decision_id="d",
        requested_at=NOW,
        expires_at=NOW + timedelta(hours=1),
        task_token="t",
    )
    world.approvals.save(asked)
    with pytest.raises(Conflict, match="waits for an approval"):
        world.promote("v2")
    refused = Answer(approved=False, actor="key:operator", reason="too early", at=NOW)
    world.approvals.save(replace(asked, answer=refused, revision=2))
    world.promote("v2")
    assert world.pointer.champion == "v2"


def test_version_that_has_expired_or_cannot_be_loaded_is_not_promoted(world: World) -> None:
    world.registry.put_version(MODEL, PASSED.replace(version="v4", expired_at=NOW))
    with pytest.raises(Conflict, match="has expired"):
        world.promote("v4")

    def refuse(_: VersionRecord) -> None:
        raise UnusableArtifact("the artefact is not the one that was registered")

    world.promotions = world.requiring(refuse)
    with pytest.raises(Conflict, match="cannot be served"):
        world.promote("v2")
    assert (world.pointer.champion, world.bus.published) == ("v1", [])


def test_pointer_that_moves_while_the_version_is_loaded_is_a_conflict(world: World) -> None:
    world.promotions = world.requiring(
        lambda _: world.registry.move_pointer(MODEL, promoted("v5", NOW, world.pointer)) and None
    )
    with pytest.raises(Conflict, match="has moved meanwhile"):
        world.promote("v2")
    assert world.pointer.champion == "v5"


def test_unknown_version_or_model_is_not_found_and_a_reason_is_required(world: World) -> None:
    with pytest.raises(NotFound):
        world.promote("v9")
    with pytest.raises(NotFound):
        world.promotions.take("nothing", "v2", BODY, now=NOW, actor="key:operator")
    for body in ({}, {"reason": ""}, {**BODY, "force": True}, []):
        with pytest.raises(InvalidInput):
            world.promotions.take(MODEL, "v2", body, now=NOW, actor="key:operator")


@pytest.mark.parametrize(
    ("strategy", "change", "mode", "share"),
    [
        ("canary", Change.CANARY_STARTED, RolloutMode.CANARY, 0.1),
        ("shadow", Change.SHADOW_STARTED, RolloutMode.SHADOW, None),
    ],
)
def test_rollout_of_a_registered_version_is_started_by_a_person(
    world: World, strategy: str, change: Change, mode: RolloutMode, share: float | None
) -> None:
    world.answer_elsewhere()
    made = world.promote("ours-2", strategy=strategy)
    [newest, _] = world.registry.deployments(MODEL, 10)
    assert newest == made
    assert (newest.change, newest.to_version, newest.challenger) == (change, "v1", "ours-2")
    rollout = world.pointer.rollout
    assert rollout is not None
    assert (rollout.version, rollout.mode, rollout.share, rollout.since) == ("ours-2", mode, share, NOW)
    [announced] = world.bus.published
    assert announced.name == "RolloutStarted"
    require_promised("RolloutStarted", announced.detail())


def test_same_rollout_again_is_a_conflict_and_publishes_a_lost_event(world: World) -> None:
    world.promote("v2", strategy="shadow")
    with pytest.raises(Conflict, match="serves already"):
        world.promote("v2", strategy="shadow")
    assert [announced.name for announced in world.bus.published] == ["RolloutStarted", "RolloutStarted"]


def test_rollout_beside_another_one_is_a_conflict(world: World) -> None:
    world.promote("v2", strategy="shadow")
    with pytest.raises(Conflict, match="v2 is still in a rollout"):
        world.promote("v3", strategy="canary")


def test_version_in_a_rollout_is_promoted_at_once_by_a_person(world: World) -> None:
    world.promote("v2", strategy="canary")
    world.promote("v2")
    assert (world.pointer.champion, world.pointer.rollout) == ("v2", None)


def test_first_version_takes_all_traffic_by_any_strategy() -> None:
    world = World()
    world.registry._pointers.clear()
    world.promote("v2", strategy="canary")
    assert (world.pointer.champion, world.pointer.rollout) == ("v2", None)


@pytest.mark.parametrize(("version", "where"), [("ours-2", "elsewhere"), ("v2", "here")])
def test_rollout_of_a_version_that_the_server_cannot_answer_with_is_a_conflict(
    world: World, version: str, where: str
) -> None:
    world.answer_elsewhere()
    if version == "ours-2":
        world.promotions = replace(world.promotions, configurations=InMemoryConfigurations(configuration()))
    with pytest.raises(Conflict, match=f"{version} is served {where}, and the model is not"):
        world.promote(version, strategy="canary")


def test_strategy_that_is_none_is_refused_by_its_path(world: World) -> None:
    with pytest.raises(InvalidInput) as refused:
        world.promote("v2", strategy="all")
    assert refused.value.faults[0].path == "strategy"

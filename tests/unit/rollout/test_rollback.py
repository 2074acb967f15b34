from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.core.errors import Conflict, InvalidInput, NoModel, NotFound, Unavailable, UnusableArtifact
from hindsight.registry.moves import AuditInfo, promote, start_rollout
from hindsight.registry.pointer import Change, DeploymentRecord, Probation, RolloutMode
from hindsight.registry.rollback_candidates import rollback_candidates
from hindsight.registry.version import Verdict, VersionRecord
from hindsight.rollout.deployment import servable
from hindsight.rollout.rollback import Rollbacks
from hindsight.testing.aws.announcements import InMemoryAnnouncements
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.builders.versions import version_record
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.models.registry import InMemoryRegistry
from hindsight.testing.models.trigger_store import InMemoryTriggers
from hindsight.validation.timestamps import ClientTimestamps

MODEL = "bike-demand"
NOW = datetime(2026, 3, 10, tzinfo=UTC)


class BackOff(InMemoryTriggers):
    def __init__(self) -> None:
        super().__init__()
        self.noted: list[datetime] = []

    def record_rollback(self, model: str, at: datetime) -> bool:
        assert model == MODEL
        self.noted.append(at)
        return True


class World:
    """A model whose versions v1, v2, … have served one after the other; ``broken`` ones cannot be loaded."""

    def __init__(self, served: int = 3) -> None:
        self.registry, self.back_off, self.bus = InMemoryRegistry(), BackOff(), InMemoryAnnouncements()
        self.broken: set[str] = set()
        configurations = InMemoryConfigurations()
        configurations.put(configuration(), NOW)
        self.rollbacks = Rollbacks(
            registry=self.registry,
            configurations=configurations,
            triggers=self.back_off,
            announcements=self.bus,
            trust=ClientTimestamps.BOUNDED,
            require_loadable=self._load,
        )
        for number in range(1, served + 1):
            self.promote(f"v{number}")

    def _load(self, record: VersionRecord) -> None:
        if record.version in self.broken:
            raise UnusableArtifact("it is damaged")

    def register(self, version: str, verdict: Verdict = Verdict.PROMOTE) -> VersionRecord:
        artifact = {"artifact_key": f"key of {version}", "artifact_digest": f"digest of {version}"}
        return self.registry.put_version(MODEL, version_record(version, NOW, verdict=verdict, **artifact))

    def promote(self, version: str) -> None:
        audit = AuditInfo(reason="better", actor="pipeline", at=NOW - timedelta(days=1))
        step = promote(self.registry.pointer(MODEL), servable(self.register(version)), audit)
        self.registry.move_pointer(MODEL, step)

    def try_out(self, version: str, mode: RolloutMode, share: float | None) -> None:
        pointer = self.registry.pointer(MODEL)
        assert pointer is not None
        audit = AuditInfo(reason="better", actor="pipeline", at=NOW)
        self.registry.move_pointer(MODEL, start_rollout(pointer, servable(self.register(version)), mode, share, audit))

    def ask(self, **body: Any) -> DeploymentRecord:
        return self.rollbacks.take(MODEL, {"reason": "complaints", **body}, now=NOW, actor="key:operator")

    @property
    def champion(self) -> str:
        pointer = self.registry.pointer(MODEL)
        assert pointer is not None
        return pointer.champion


@pytest.fixture
def world() -> World:
    return World()


def test_rollback_leads_to_the_previous_champion_and_is_announced(world: World) -> None:
    move = world.ask()
    assert (move.change, move.from_version, move.to_version) == (Change.ROLLED_BACK, "v3", "v2")
    assert (move.reason, move.actor, move.at) == ("complaints", "key:operator", NOW)
    pointer = world.registry.pointer(MODEL)
    assert pointer is not None
    assert (pointer.champion, pointer.artifact_key, pointer.previous) == ("v2", "key of v2", "v1")
    # It was on probation when v3 took over, and is again.
    going_on = Probation(against="v1", since=NOW - timedelta(days=1))
    assert (pointer.serving_since, pointer.probation) == (NOW, going_on)
    assert world.back_off.noted == [NOW]
    (announced,) = world.bus.published
    assert (announced.name, announced.data["from"], announced.data["to"]) == ("ModelRolledBack", "v3", "v2")


def test_rollbacks_in_a_row_go_ever_further_back_until_nothing_is_left(world: World) -> None:
    assert [world.ask().to_version for _ in range(2)] == ["v2", "v1"]
    with pytest.raises(Conflict, match="no version before v1"):
        world.ask()
    assert world.champion == "v1"


def test_after_a_rollback_and_a_promotion_the_way_back_leaves_the_failed_version_out(world: World) -> None:
    world.ask()
    world.promote("v4")
    assert world.ask().to_version == "v2"


def test_a_person_may_name_any_version_that_served(world: World) -> None:
    assert world.ask(to="v1").to_version == "v1"
    assert world.ask(to="v3").to_version == "v3"


def test_going_forward_again_leaves_the_version_that_served_meanwhile_on_the_way(world: World) -> None:
    world.ask()
    assert (world.ask(to="v3").to_version, world.ask().to_version) == ("v3", "v2")
    assert world.ask().to_version == "v1"


def test_going_back_to_a_version_off_the_way_takes_the_place_of_the_one_left(world: World) -> None:
    world.ask(to="v1")
    world.promote("v4")
    assert world.ask(to="v2").to_version == "v2"
    assert world.ask().to_version == "v1"


def test_a_version_that_never_served_is_refused_also_if_it_passed_the_gate(world: World) -> None:
    """It may wait for a person, or have been refused by one: a rollback is no way around them."""
    world.register("v-rejected", Verdict.REJECT)
    world.register("v-waiting")
    for version in ("v-rejected", "v-waiting"):
        with pytest.raises(Conflict, match="never served"):
            world.ask(to=version)


def test_a_version_that_has_expired_is_refused(world: World) -> None:
    assert world.registry.expire_version(MODEL, "v1", NOW, pointer_sequence=3)
    with pytest.raises(Conflict, match="has expired"):
        world.ask(to="v1")


def test_a_version_that_cannot_be_loaded_is_refused_before_the_pointer_moves(world: World) -> None:
    world.broken.add("v2")
    with pytest.raises(Conflict, match="cannot be served: it is damaged"):
        world.ask()
    assert (world.champion, world.back_off.noted, world.bus.published) == ("v3", [], [])
    assert world.ask(to="v1").to_version == "v1"


def test_the_version_that_serves_is_nothing_to_go_back_to(world: World) -> None:
    with pytest.raises(Conflict, match="serves already"):
        world.ask(to="v3")


def test_a_request_that_names_where_it_starts_does_not_go_back_twice(world: World) -> None:
    assert world.ask(**{"from": "v3"}).to_version == "v2"
    with pytest.raises(Conflict, match="v2 serves, not v3"):
        world.ask(**{"from": "v3", "reason": "something else"})
    assert world.champion == "v2"


@pytest.mark.parametrize("named", [{"from": "v3"}, {"to": "v1"}, {"from": "v3", "to": "v1"}])
def test_repeated_request_finds_the_move_made_and_announces_it_where_that_failed(
    world: World, named: dict[str, str]
) -> None:
    world.bus.refusals = 1
    with pytest.raises(Unavailable):
        world.ask(**named)
    assert world.bus.published == []

    move = world.ask(**named)

    assert (move, world.champion) == (world.registry.deployment(MODEL, 4), move.to_version)
    assert [found.data["sequence"] for found in world.bus.published] == [4]
    assert set(world.back_off.noted) == {NOW}


@pytest.mark.parametrize(
    ("mode", "share", "name"),
    [(RolloutMode.CANARY, 0.1, "CanaryAborted"), (RolloutMode.SHADOW, None, "ShadowAborted")],
)
def test_rollback_to_the_champion_aborts_the_rollout_beside_it(
    world: World, mode: RolloutMode, share: float | None, name: str
) -> None:
    world.try_out("v4", mode, share)
    move = world.ask(to="v3")
    assert (move.change, move.to_version, move.challenger) == (Change.ROLLOUT_ABORTED, "v3", "v4")
    pointer = world.registry.pointer(MODEL)
    assert pointer is not None
    assert (pointer.champion, pointer.rollout, pointer.previous) == ("v3", None, "v2")
    assert world.ask(to="v3") == move
    assert {found.name for found in world.bus.published} == {name}
    assert world.back_off.noted == [NOW, NOW]
    with pytest.raises(Conflict, match="serves already"):
        world.ask(to="v3", reason="once more")


def test_a_version_that_came_again_is_not_gone_back_to_once_it_was_left(world: World) -> None:
    world.promote("v2")
    assert [world.ask().to_version for _ in range(2)] == ["v3", "v1"]


def test_a_history_without_the_last_move_leads_nowhere(world: World) -> None:
    complete = world.registry.deployments
    world.registry.deployments = lambda model, limit: complete(model, limit)[1:]  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="moved meanwhile"):
        world.ask()
    assert world.champion == "v3"


def test_a_rollback_ends_a_rollout_and_says_of_which_version(world: World) -> None:
    world.try_out("v4", RolloutMode.CANARY, 0.1)
    assert world.ask().challenger == "v4"
    assert getattr(world.registry.pointer(MODEL), "rollout", None) is None


def test_unknown_models_and_versions_are_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        world.ask(to="v9")
    with pytest.raises(NotFound):
        world.rollbacks.take("unknown", {"reason": "x"}, now=NOW, actor="key:operator")
    with pytest.raises(NoModel):
        World(served=0).ask()


@pytest.mark.parametrize(
    ("body", "path"),
    [({}, "reason"), ({"reason": ""}, "reason"), ({"reason": "x", "to": ""}, "to"), ({"reason": "x", "v": 1}, "v")],
)
def test_an_invalid_request_is_refused_with_its_path(world: World, body: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        world.rollbacks.take(MODEL, body, now=NOW, actor="key:operator")
    assert [fault.path for fault in refused.value.faults] == [path]


@given(st.lists(st.sampled_from(["promote", "back", "named"]), max_size=30), st.data())
def test_rollback_candidates_end_at_the_champion_and_name_no_version_twice(
    choices: Sequence[str], data: st.DataObject
) -> None:
    world = World(served=1)
    for number, choice in enumerate(choices, start=2):
        try:
            if choice == "promote":
                world.promote(f"v{data.draw(st.integers(max(1, number - 3), number))}")
            else:
                named = {"to": f"v{data.draw(st.integers(1, number))}"} if choice == "named" else {}
                world.ask(**named)
        except (Conflict, NotFound):
            continue
    history = sorted(world.registry.deployments(MODEL, 100), key=lambda move: move.sequence)
    left = rollback_candidates(history)
    assert left[-1] == world.champion
    assert len(set(left)) == len(left)
    pointer = world.registry.pointer(MODEL)
    assert pointer is not None
    assert pointer.previous == (left[-2] if len(left) > 1 else None) or history[-1].change is Change.PROMOTED


def test_history_that_no_longer_reaches_the_beginning_starts_at_its_first_champion() -> None:
    audit = {"reason": "", "actor": "", "at": NOW}
    moves = [DeploymentRecord(sequence=9, change=Change.PROMOTED, from_version="v8", to_version="v9", **audit)]
    assert rollback_candidates(moves) == ["v8", "v9"]
    back = DeploymentRecord(sequence=10, change=Change.ROLLED_BACK, from_version="v9", to_version="v2", **audit)
    assert rollback_candidates([*moves, back]) == ["v8", "v2"]
    assert rollback_candidates([back.replace(sequence=10)]) == ["v2"]

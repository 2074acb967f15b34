"""The whole watch on fakes: labels in the lake, a pointer that moves, and what follows from it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from hindsight.core.errors import Conflict, Unavailable, UnusableArtifact
from hindsight.label_records.window import MAX_BYTES
from hindsight.registry.moves import promote, roll_back, start_trial, withdraw_trial
from hindsight.registry.pointer import Change, Pointer, Probation, TrialMode
from hindsight.registry.version import VersionRecord
from hindsight.rollout.evaluation.events import Consequences
from hindsight.rollout.evaluation.rollout_evaluation import ModelWatch
from hindsight.rollout.evaluation.sweep import Watch, WatchingFailed
from hindsight.testing.aws.announcements import InMemoryAnnouncements
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.models.registry import InMemoryRegistry
from hindsight.testing.models.trigger_store import InMemoryTriggers
from hindsight.testing.models.watching import InMemorySequentialTests, InMemoryWatchProgress
from tests.event_schemas import require_promised
from tests.unit.watching.world import (
    DAY,
    HOUR,
    MODEL,
    NEW,
    NOW,
    OLD,
    SINCE,
    Row,
    account,
    drawn,
    put,
    records,
    rules,
    servable,
    version,
    with_shadow,
)


@dataclass
class World:
    """One model, its versions, and a watch over them; ``broken`` versions cannot be loaded."""

    registry: InMemoryRegistry = field(default_factory=InMemoryRegistry)
    lake: InMemoryLake = field(default_factory=InMemoryLake)
    tests: InMemorySequentialTests = field(default_factory=InMemorySequentialTests)
    progress: InMemoryWatchProgress = field(default_factory=InMemoryWatchProgress)
    triggers: InMemoryTriggers = field(default_factory=InMemoryTriggers)
    bus: InMemoryAnnouncements = field(default_factory=InMemoryAnnouncements)
    configurations: InMemoryConfigurations = field(default_factory=lambda: InMemoryConfigurations(rules()))
    broken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for name in (OLD, NEW):
            self.registry.put_version(MODEL, version(name))
        self.registry.move_pointer(MODEL, promote(None, servable(OLD), account(SINCE - 30 * DAY)))

    def promote(self) -> "World":
        self.registry.move_pointer(MODEL, promote(self.pointer, servable(NEW), account(SINCE)))
        return self

    def try_out(self, mode: TrialMode = TrialMode.CANARY) -> "World":
        step = start_trial(self.pointer, servable(NEW), mode, None, account(SINCE))
        self.registry.move_pointer(MODEL, step)
        return self

    @property
    def pointer(self) -> Pointer:
        pointer = self.registry.pointer(MODEL)
        assert pointer is not None
        return pointer

    @property
    def announced(self) -> list[str]:
        return [announcement.name for announcement in self.bus.published]

    @property
    def rollbacks(self) -> int:
        return self.triggers.load(MODEL).consecutive_rollbacks

    def require_loadable(self, record: VersionRecord) -> None:
        if record.version in self.broken:
            raise UnusableArtifact(f"the artefact of {record.version} is gone")

    def watch(self, now: datetime = NOW, max_bytes: int = MAX_BYTES) -> list[dict[str, Any]]:
        of_model = ModelWatch(
            registry=self.registry,
            lake=self.lake,
            tests=self.tests,
            progress=self.progress,
            announcements=self.bus,
            require_loadable=self.require_loadable,
            max_bytes=max_bytes,
        )
        consequences = Consequences(
            registry=self.registry, triggers=self.triggers, announcements=self.bus, progress=self.progress
        )
        watch = Watch(
            configurations=self.configurations, registry=self.registry, of_model=of_model, consequences=consequences
        )
        return watch.run(MODEL, now)


def canary(ours: float, count: int = 250) -> list[Row]:
    return [*records(NEW, drawn(count, ours)), *records(OLD, drawn(9 * count, 0.88, seed=2))]


def test_a_bad_champion_is_rolled_back_and_the_next_run_backs_off() -> None:
    world = World().promote()
    put(world.lake, records(NEW, drawn(60, 0.2)))

    (look,) = world.watch()

    assert (look["watched"], look["verdict"]) == ("probation", "take_back")
    assert (world.pointer.champion, world.pointer.probation) == (OLD, None)
    assert world.pointer.artifact_digest == f"digest-{OLD}"
    move = world.registry.history(MODEL, 1)[0]
    assert (move.change, move.by, move.from_version, move.to_version) == (Change.ROLLED_BACK, "watch", NEW, OLD)
    assert move.why == look["reason"]
    assert move.why.startswith("worse beyond doubt")
    assert world.announced == ["ModelRolledBack"]
    assert (world.rollbacks, world.triggers.load(MODEL).rolled_back_at) == (1, NOW)


def test_of_too_many_label_records_a_sample_decides_and_the_evaluation_names_its_share() -> None:
    whole, sampled = World().promote(), World().promote()
    for world, max_bytes, share in ((whole, MAX_BYTES, 1.0), (sampled, 100_000, 0.5)):
        put(world.lake, records(NEW, drawn(1000, 0.2)))
        (look,) = world.watch(max_bytes=max_bytes)
        assert (look["sampled_share"], look["verdict"]) == (share, "take_back")
        assert abs(look["labels"] / share - 1000) <= 4 * (1000 * (1 - share) / share) ** 0.5
        assert world.pointer.champion == OLD


def test_canary_on_a_sample_of_its_entities_takes_over() -> None:
    world = World().try_out()
    rows = [{**row, "entity_id": f"customer-{place}"} for place, row in enumerate(canary(0.88, 1000))]
    put(world.lake, rows)
    (look,) = world.watch(max_bytes=1_000_000)
    assert look["sampled_share"] < 1
    assert (look["verdict"], world.pointer.champion) == ("keep", NEW)


def test_after_a_rollback_the_next_one_leads_to_the_version_before_and_never_back_again() -> None:
    world = World().promote()
    newest = "v20260302"
    world.registry.put_version(MODEL, version(newest, compared_with=NEW))
    world.registry.move_pointer(MODEL, promote(world.pointer, servable(newest), account(SINCE + HOUR)))
    put(world.lake, records(newest, drawn(60, 0.2), SINCE + 2 * HOUR, 20))
    world.watch()
    assert (world.pointer.champion, world.pointer.previous) == (NEW, OLD)


def test_a_good_champion_passes_its_probation_and_the_back_off_ends() -> None:
    world = World().promote()
    world.triggers.record_rollback(MODEL, SINCE - DAY)
    put(world.lake, records(NEW, drawn(250, 0.88)))

    world.watch()

    assert (world.pointer.champion, world.pointer.probation) == (NEW, None)
    assert world.registry.history(MODEL, 1)[0].change is Change.PROBATION_PASSED
    assert world.announced == ["ProbationPassed"]
    assert world.rollbacks == 0
    assert world.watch(NOW + HOUR) == []


@pytest.mark.parametrize(
    ("mode", "promoted", "withdrawn"),
    [
        (TrialMode.CANARY, "CanaryPromoted", "CanaryWithdrawn"),
        (TrialMode.SHADOW, "ShadowPromoted", "ShadowWithdrawn"),
    ],
)
def test_a_trial_ends_with_the_champion_it_deserves(mode: TrialMode, promoted: str, withdrawn: str) -> None:
    for ours, name, champion in ((0.9, promoted, NEW), (0.3, withdrawn, OLD)):
        world = World().try_out(mode)
        rows = canary(ours)
        if mode is TrialMode.SHADOW:
            rows = with_shadow(records(OLD, drawn(300, 0.88)), drawn(300, ours, seed=5))
        put(world.lake, rows)
        world.watch()
        assert world.announced == [name]
        (told,) = world.bus.published
        require_promised(told.name, told.detail())
        assert told.correlation_id == "decision-1"
        assert (told.data["model"], told.data["to"]) == (MODEL, champion)
        assert (world.pointer.champion, world.pointer.trial) == (champion, None)
        assert (world.pointer.probation is not None) == (champion == NEW)
        assert world.rollbacks == (champion == OLD)


def test_a_champion_that_is_rolled_back_takes_the_trial_against_it_along() -> None:
    world = World().promote()
    third = "v20260302"
    world.registry.put_version(MODEL, version(third))
    world.registry.move_pointer(
        MODEL, start_trial(world.pointer, servable(third), TrialMode.CANARY, 0.1, account(SINCE + HOUR))
    )
    put(world.lake, records(NEW, drawn(60, 0.2)))
    assert [look["watched"] for look in world.watch()] == ["probation"]
    assert (world.pointer.champion, world.pointer.trial) == (OLD, None)
    assert world.registry.history(MODEL, 1)[0].challenger == third
    assert world.rollbacks == 1


def test_a_trial_whose_version_cannot_be_loaded_is_withdrawn_and_not_served() -> None:
    world = World(broken={NEW}).try_out()
    put(world.lake, canary(0.9))
    world.watch()
    assert world.pointer.champion == OLD
    move = world.registry.history(MODEL, 1)[0]
    assert (move.change, move.why) == (
        Change.TRIAL_WITHDRAWN,
        f"it cannot be served: the artefact of {NEW} is gone",
    )


def test_a_rollback_passes_over_what_cannot_be_loaded_and_says_so() -> None:
    world = World().promote()
    newest = "v20260302"
    world.registry.put_version(MODEL, version(newest, compared_with=NEW))
    world.registry.move_pointer(MODEL, promote(world.pointer, servable(newest), account(SINCE + HOUR)))
    put(world.lake, records(newest, drawn(60, 0.2), SINCE + 2 * HOUR, 20))
    world.broken.add(NEW)
    world.watch()
    assert (world.pointer.champion, world.pointer.previous) == (OLD, None)
    assert f"{NEW} cannot be served: the artefact of {NEW} is gone" in world.registry.history(MODEL, 1)[0].why


def test_where_nothing_before_can_be_loaded_people_are_told_once_and_the_next_look_tries_again() -> None:
    world = World().promote()
    put(world.lake, records(NEW, drawn(60, 0.2)))
    world.broken.add(OLD)
    looks = [look for hours in range(3) for look in world.watch(NOW + hours * HOUR)]
    assert {look["verdict"] for look in looks} == {"no_way_back"}
    assert looks[0]["reason"].endswith("; no version before it can be served")
    assert (world.pointer.champion, world.announced) == (NEW, ["NoWayBack"])
    (told,) = world.bus.published
    require_promised("NoWayBack", told.detail())
    world.broken.clear()
    world.watch(NOW + 4 * HOUR)
    assert (world.pointer.champion, world.announced) == (OLD, ["NoWayBack", "ModelRolledBack"])


def test_a_version_gone_back_to_goes_on_with_the_probation_it_had_not_passed() -> None:
    world = World().promote()
    newest = "v20260302"
    world.registry.put_version(MODEL, version(newest, compared_with=NEW))
    world.registry.move_pointer(MODEL, promote(world.pointer, servable(newest), account(SINCE + HOUR)))
    put(world.lake, records(newest, drawn(60, 0.2), SINCE + 2 * HOUR, 20))
    world.watch()
    assert world.pointer.probation == Probation(against=OLD, since=SINCE)
    put(world.lake, records(NEW, drawn(250, 0.88), NOW, 12, first=1000), "later")
    world.watch(NOW + 3 * DAY)
    assert (world.pointer.champion, world.pointer.probation) == (NEW, None)


def test_a_trial_that_a_newer_run_displaced_is_told_of() -> None:
    world = World().try_out(TrialMode.SHADOW)
    account_ = account(NOW, "a newer run takes its place")
    world.registry.move_pointer(MODEL, withdraw_trial(world.pointer, account_))
    world.watch()
    assert (world.announced, world.rollbacks) == (["ShadowWithdrawn"], 0)


def test_a_watch_that_fails_names_its_model_and_tells_what_it_came_to() -> None:
    world = World().promote()
    put(world.lake, records(NEW, drawn(60, 0.2)))
    with failing(world.bus, "publish", Unavailable("crash")), pytest.raises(WatchingFailed, match=MODEL) as failed:
        world.watch()
    assert [look["verdict"] for look in failed.value.looks] == ["take_back"]


def test_where_nothing_is_watched_the_lake_is_not_read() -> None:
    world = World()
    world.lake.objects = {}
    assert world.watch() == []
    assert world.progress.looks(MODEL) == {}


def test_operators_read_how_far_a_trial_has_come() -> None:
    world = World().try_out()
    put(world.lake, canary(0.9, count=50))
    world.watch()
    look = world.progress.looks(MODEL)["trial"]
    assert (look["version"], look["verdict"], look["labels"]) == (NEW, "wait", 50)
    assert look["reason"].endswith("decided at 200 labels")
    assert 0 < look["evidence"] < 20


@contextmanager
def failing(port: object, method: str, error: Exception) -> Iterator[None]:
    """A method of a port that fails until the block is over."""

    def fail(*_: Any, **__: Any) -> None:
        raise error

    setattr(port, method, fail)
    yield
    delattr(port, method)


@pytest.mark.parametrize(
    ("port", "method"),
    [
        ("tests", "save"),
        ("progress", "note_look"),
        ("registry", "move_pointer"),
        ("triggers", "record_rollback"),
        ("bus", "publish"),
        ("progress", "note_told"),
    ],
)
def test_a_crash_anywhere_leaves_nothing_undone_that_the_next_look_does_not_do(port: str, method: str) -> None:
    world = World().promote()
    put(world.lake, records(NEW, drawn(60, 0.2)))
    with failing(getattr(world, port), method, Unavailable("crash")), pytest.raises(WatchingFailed):
        world.watch()
    world.watch(NOW + HOUR)
    assert world.pointer.champion == OLD
    assert set(world.announced) == {"ModelRolledBack"}
    assert world.rollbacks == 1
    assert [move.change for move in world.registry.history(MODEL, 9)][:1] == [Change.ROLLED_BACK]
    heard = len(world.announced)
    world.watch(NOW + 2 * HOUR)
    assert len(world.announced) == heard


def test_a_pointer_that_moves_during_a_look_is_left_where_it_was_put() -> None:
    world = World().promote()
    put(world.lake, records(NEW, drawn(60, 0.2)))
    with failing(world.registry, "move_pointer", Conflict("moved")):
        assert world.watch() == []
    assert (world.pointer.champion, world.announced) == (NEW, [])


def test_a_rollback_by_a_person_is_backed_off_from_even_if_nobody_noted_it_and_is_not_announced_again() -> None:
    world = World().promote()
    before = world.pointer
    by_person = replace(account(NOW), by="operator")

    world.registry.move_pointer(MODEL, roll_back(before, servable(OLD), by_person))
    world.watch()
    world.watch(NOW + HOUR)
    assert (world.rollbacks, world.announced) == (1, [])

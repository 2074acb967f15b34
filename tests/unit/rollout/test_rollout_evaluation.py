"""The whole watch on fakes: labels in the lake, a pointer that moves, and what follows from it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from hindsight.core.errors import Conflict, Unavailable, UnusableArtifact
from hindsight.label_records.window import MAX_BYTES
from hindsight.registry.moves import abort_rollout, promote, roll_back, start_rollout
from hindsight.registry.pointer import Change, Pointer, Probation, RolloutMode
from hindsight.registry.version import VersionRecord
from hindsight.rollout.evaluation.evaluator import RolloutEvaluator
from hindsight.rollout.evaluation.events import RolloutEvents
from hindsight.rollout.evaluation.rollout_evaluation import EvaluationFailed, RolloutEvaluation
from hindsight.testing.aws.announcements import InMemoryAnnouncements
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.models.registry import InMemoryRegistry
from hindsight.testing.models.rollout_evaluations import InMemoryEvaluationStore
from hindsight.testing.models.sequential_tests import InMemorySequentialTests
from hindsight.testing.models.trigger_store import InMemoryTriggers
from tests.event_schemas import require_promised
from tests.unit.rollout.world import (
    DAY,
    HOUR,
    MODEL,
    NEW,
    NOW,
    OLD,
    SINCE,
    Row,
    audit,
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
    evaluations: InMemoryEvaluationStore = field(default_factory=InMemoryEvaluationStore)
    triggers: InMemoryTriggers = field(default_factory=InMemoryTriggers)
    bus: InMemoryAnnouncements = field(default_factory=InMemoryAnnouncements)
    configurations: InMemoryConfigurations = field(default_factory=lambda: InMemoryConfigurations(rules()))
    broken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for name in (OLD, NEW):
            self.registry.put_version(MODEL, version(name))
        self.registry.move_pointer(MODEL, promote(None, servable(OLD), audit(SINCE - 30 * DAY)))

    def promote(self) -> "World":
        self.registry.move_pointer(MODEL, promote(self.pointer, servable(NEW), audit(SINCE)))
        return self

    def try_out(self, mode: RolloutMode = RolloutMode.CANARY) -> "World":
        step = start_rollout(self.pointer, servable(NEW), mode, None, audit(SINCE))
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

    def evaluate(self, now: datetime = NOW, max_bytes: int = MAX_BYTES) -> list[dict[str, Any]]:
        evaluator = RolloutEvaluator(
            registry=self.registry,
            lake=self.lake,
            tests=self.tests,
            evaluations=self.evaluations,
            announcements=self.bus,
            require_loadable=self.require_loadable,
            max_bytes=max_bytes,
        )
        events = RolloutEvents(
            registry=self.registry, triggers=self.triggers, announcements=self.bus, store=self.evaluations
        )
        evaluation = RolloutEvaluation(
            configurations=self.configurations, registry=self.registry, evaluator=evaluator, events=events
        )
        return evaluation.run(MODEL, now)


def canary(ours: float, count: int = 250) -> list[Row]:
    return [*records(NEW, drawn(count, ours)), *records(OLD, drawn(9 * count, 0.88, seed=2))]


def test_bad_champion_is_rolled_back_and_next_run_backs_off() -> None:
    world = World().promote()
    put(world.lake, records(NEW, drawn(60, 0.2)))

    (found,) = world.evaluate()

    assert (found["subject"], found["verdict"]) == ("probation", "roll_back")
    assert (world.pointer.champion, world.pointer.probation) == (OLD, None)
    assert world.pointer.artifact_digest == f"digest-{OLD}"
    move = world.registry.deployments(MODEL, 1)[0]
    assert (move.change, move.actor, move.from_version, move.to_version) == (
        Change.ROLLED_BACK,
        "rollout_evaluation",
        NEW,
        OLD,
    )
    assert move.reason == found["reason"]
    assert move.reason.startswith("significantly worse")
    assert world.announced == ["ModelRolledBack"]
    assert (world.rollbacks, world.triggers.load(MODEL).rolled_back_at) == (1, NOW)


def test_of_too_many_label_records_a_sample_decides_and_the_evaluation_names_its_share() -> None:
    whole, sampled = World().promote(), World().promote()
    for world, max_bytes, share in ((whole, MAX_BYTES, 1.0), (sampled, 100_000, 0.5)):
        put(world.lake, records(NEW, drawn(1000, 0.2)))
        (found,) = world.evaluate(max_bytes=max_bytes)
        assert (found["sampled_share"], found["verdict"]) == (share, "roll_back")
        assert abs(found["labels"] / share - 1000) <= 4 * (1000 * (1 - share) / share) ** 0.5
        assert world.pointer.champion == OLD


def test_canary_on_a_sample_of_its_entities_takes_over() -> None:
    world = World().try_out()
    rows = [{**row, "entity_id": f"customer-{place}"} for place, row in enumerate(canary(0.88, 1000))]
    put(world.lake, rows)
    (found,) = world.evaluate(max_bytes=1_000_000)
    assert found["sampled_share"] < 1
    assert (found["verdict"], world.pointer.champion) == ("keep", NEW)


def test_second_rollback_leads_to_the_version_before_the_first_target() -> None:
    world = World().promote()
    newest = "v20260302"
    world.registry.put_version(MODEL, version(newest, compared_with=NEW))
    world.registry.move_pointer(MODEL, promote(world.pointer, servable(newest), audit(SINCE + HOUR)))
    put(world.lake, records(newest, drawn(60, 0.2), SINCE + 2 * HOUR, 20))
    world.evaluate()
    assert (world.pointer.champion, world.pointer.previous) == (NEW, OLD)


def test_good_champion_passes_probation_and_back_off_ends() -> None:
    world = World().promote()
    world.triggers.record_rollback(MODEL, SINCE - DAY)
    put(world.lake, records(NEW, drawn(250, 0.88)))

    world.evaluate()

    assert (world.pointer.champion, world.pointer.probation) == (NEW, None)
    assert world.registry.deployments(MODEL, 1)[0].change is Change.PROBATION_PASSED
    assert world.announced == ["ProbationPassed"]
    assert world.rollbacks == 0
    assert world.evaluate(NOW + HOUR) == []


@pytest.mark.parametrize(
    ("mode", "promoted", "aborted"),
    [
        (RolloutMode.CANARY, "CanaryPromoted", "CanaryAborted"),
        (RolloutMode.SHADOW, "ShadowPromoted", "ShadowAborted"),
    ],
)
def test_good_challenger_is_promoted_and_bad_one_aborted(mode: RolloutMode, promoted: str, aborted: str) -> None:
    for ours, name, champion in ((0.9, promoted, NEW), (0.3, aborted, OLD)):
        world = World().try_out(mode)
        rows = canary(ours)
        if mode is RolloutMode.SHADOW:
            rows = with_shadow(records(OLD, drawn(300, 0.88)), drawn(300, ours, seed=5))
        put(world.lake, rows)
        world.evaluate()
        assert world.announced == [name]
        (told,) = world.bus.published
        require_promised(told.name, told.detail())
        assert told.correlation_id == "decision-1"
        assert (told.data["model"], told.data["to"]) == (MODEL, champion)
        assert (world.pointer.champion, world.pointer.rollout) == (champion, None)
        assert (world.pointer.probation is not None) == (champion == NEW)
        assert world.rollbacks == (champion == OLD)


def test_rolled_back_champion_ends_the_rollout_against_it() -> None:
    world = World().promote()
    third = "v20260302"
    world.registry.put_version(MODEL, version(third))
    world.registry.move_pointer(
        MODEL, start_rollout(world.pointer, servable(third), RolloutMode.CANARY, 0.1, audit(SINCE + HOUR))
    )
    put(world.lake, records(NEW, drawn(60, 0.2)))
    assert [found["subject"] for found in world.evaluate()] == ["probation"]
    assert (world.pointer.champion, world.pointer.rollout) == (OLD, None)
    assert world.registry.deployments(MODEL, 1)[0].challenger == third
    assert world.rollbacks == 1


def test_challenger_that_cannot_be_loaded_is_aborted_not_promoted() -> None:
    world = World(broken={NEW}).try_out()
    put(world.lake, canary(0.9))
    world.evaluate()
    assert world.pointer.champion == OLD
    move = world.registry.deployments(MODEL, 1)[0]
    assert (move.change, move.reason) == (
        Change.ROLLOUT_ABORTED,
        f"it cannot be served: the artefact of {NEW} is gone",
    )


def test_rollback_skips_version_that_cannot_be_loaded_and_gives_the_reason() -> None:
    world = World().promote()
    newest = "v20260302"
    world.registry.put_version(MODEL, version(newest, compared_with=NEW))
    world.registry.move_pointer(MODEL, promote(world.pointer, servable(newest), audit(SINCE + HOUR)))
    put(world.lake, records(newest, drawn(60, 0.2), SINCE + 2 * HOUR, 20))
    world.broken.add(NEW)
    world.evaluate()
    assert (world.pointer.champion, world.pointer.previous) == (OLD, None)
    assert f"{NEW} cannot be served: the artefact of {NEW} is gone" in world.registry.deployments(MODEL, 1)[0].reason


def test_missing_rollback_target_is_announced_once_and_tried_again() -> None:
    world = World().promote()
    put(world.lake, records(NEW, drawn(60, 0.2)))
    world.broken.add(OLD)
    found = [found for hours in range(3) for found in world.evaluate(NOW + hours * HOUR)]
    assert {found["verdict"] for found in found} == {"rollback_unavailable"}
    assert found[0]["reason"].endswith("; no version before it can be served")
    assert (world.pointer.champion, world.announced) == (NEW, ["RollbackUnavailable"])
    (told,) = world.bus.published
    require_promised("RollbackUnavailable", told.detail())
    world.broken.clear()
    world.evaluate(NOW + 4 * HOUR)
    assert (world.pointer.champion, world.announced) == (OLD, ["RollbackUnavailable", "ModelRolledBack"])


def test_rollback_target_resumes_its_unfinished_probation() -> None:
    world = World().promote()
    newest = "v20260302"
    world.registry.put_version(MODEL, version(newest, compared_with=NEW))
    world.registry.move_pointer(MODEL, promote(world.pointer, servable(newest), audit(SINCE + HOUR)))
    put(world.lake, records(newest, drawn(60, 0.2), SINCE + 2 * HOUR, 20))
    world.evaluate()
    assert world.pointer.probation == Probation(against=OLD, since=SINCE)
    put(world.lake, records(NEW, drawn(250, 0.88), NOW, 12, first=1000), "later")
    world.evaluate(NOW + 3 * DAY)
    assert (world.pointer.champion, world.pointer.probation) == (NEW, None)


def test_rollout_displaced_by_newer_run_is_announced() -> None:
    world = World().try_out(RolloutMode.SHADOW)
    audit_ = audit(NOW, "a newer run takes its place")
    world.registry.move_pointer(MODEL, abort_rollout(world.pointer, audit_))
    world.evaluate()
    assert (world.announced, world.rollbacks) == (["ShadowAborted"], 0)


def test_failed_evaluation_names_its_model_and_keeps_its_results() -> None:
    world = World().promote()
    put(world.lake, records(NEW, drawn(60, 0.2)))
    with failing(world.bus, "publish", Unavailable("crash")), pytest.raises(EvaluationFailed, match=MODEL) as failed:
        world.evaluate()
    assert [found["verdict"] for found in failed.value.evaluations] == ["roll_back"]


def test_lake_is_not_read_without_rollout_or_probation() -> None:
    world = World()
    world.lake.objects = {}
    assert world.evaluate() == []
    assert world.evaluations.evaluations(MODEL) == {}


def test_newest_evaluation_of_rollout_is_stored() -> None:
    world = World().try_out()
    put(world.lake, canary(0.9, count=50))
    world.evaluate()
    found = world.evaluations.evaluations(MODEL)["rollout"]
    assert (found["version"], found["verdict"], found["labels"]) == (NEW, "wait", 50)
    assert found["reason"].endswith("decided at 200 labels")
    assert 0 < found["evidence"] < 20


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
        ("evaluations", "record_evaluation"),
        ("registry", "move_pointer"),
        ("triggers", "record_rollback"),
        ("bus", "publish"),
        ("evaluations", "record_published_sequence"),
    ],
)
def test_next_evaluation_completes_what_a_crash_left_undone(port: str, method: str) -> None:
    world = World().promote()
    put(world.lake, records(NEW, drawn(60, 0.2)))
    with failing(getattr(world, port), method, Unavailable("crash")), pytest.raises(EvaluationFailed):
        world.evaluate()
    world.evaluate(NOW + HOUR)
    assert world.pointer.champion == OLD
    assert set(world.announced) == {"ModelRolledBack"}
    assert world.rollbacks == 1
    assert [move.change for move in world.registry.deployments(MODEL, 9)][:1] == [Change.ROLLED_BACK]
    heard = len(world.announced)
    world.evaluate(NOW + 2 * HOUR)
    assert len(world.announced) == heard


def test_pointer_that_moves_during_evaluation_is_left_alone() -> None:
    world = World().promote()
    put(world.lake, records(NEW, drawn(60, 0.2)))
    with failing(world.registry, "move_pointer", Conflict("moved")):
        assert world.evaluate() == []
    assert (world.pointer.champion, world.announced) == (NEW, [])


def test_rollback_by_a_person_is_noted_once_and_not_announced_again() -> None:
    world = World().promote()
    before = world.pointer
    by_person = replace(audit(NOW), actor="operator")

    world.registry.move_pointer(MODEL, roll_back(before, servable(OLD), by_person))
    world.evaluate()
    world.evaluate(NOW + HOUR)
    assert (world.rollbacks, world.announced) == (1, [])

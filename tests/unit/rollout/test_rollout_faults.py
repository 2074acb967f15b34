"""Evaluations of rollouts that meet faults and other writers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from hindsight.core.errors import Conflict, Unavailable
from hindsight.registry.moves import abort_rollout, promote, roll_back
from hindsight.registry.pointer import Change, RolloutMode
from hindsight.rollout.evaluation.rollout_evaluation import EvaluationFailed
from tests.event_schemas import require_promised
from tests.unit.rollout.evaluations import World, canary
from tests.unit.rollout.world import (
    HOUR,
    MODEL,
    NEW,
    NOW,
    OLD,
    SINCE,
    audit,
    drawn,
    put,
    records,
    servable,
    version,
)


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
    (event,) = world.bus.published
    require_promised("RollbackUnavailable", event.detail())
    world.broken.clear()
    world.evaluate(NOW + 4 * HOUR)
    assert (world.pointer.champion, world.announced) == (OLD, ["RollbackUnavailable", "ModelRolledBack"])


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
def test_next_evaluation_completes_the_work_of_a_crashed_one(port: str, method: str) -> None:
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
    by_person = replace(audit(NOW), actor="key:operator")

    world.registry.move_pointer(MODEL, roll_back(before, servable(OLD), by_person))
    world.evaluate()
    world.evaluate(NOW + HOUR)
    assert (world.rollbacks, world.announced) == (1, [])

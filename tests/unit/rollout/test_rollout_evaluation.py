"""The whole watch on fakes: labels in the lake, a pointer that moves, and what follows from it."""

import pytest

from hindsight.label_records.window import MAX_BYTES
from hindsight.registry.moves import start_rollout
from hindsight.registry.pointer import Change, Probation, RolloutMode
from tests.event_schemas import require_promised
from tests.unit.rollout.evaluations import World, canary
from tests.unit.rollout.world import (
    DAY,
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
    with_shadow,
)


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
    world.roll_back_a_newer_version()
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
            rows = with_shadow(records(OLD, drawn(900, 0.88)), drawn(900, ours, seed=5))
        put(world.lake, rows)
        world.evaluate()
        assert world.announced == [name]
        (event,) = world.bus.published
        require_promised(event.name, event.detail())
        assert event.correlation_id == "decision-1"
        assert (event.data["model"], event.data["to"]) == (MODEL, champion)
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


def test_rollback_target_resumes_its_unfinished_probation() -> None:
    world = World().promote()
    world.roll_back_a_newer_version()
    assert world.pointer.probation == Probation(against=OLD, since=SINCE)
    put(world.lake, records(NEW, drawn(250, 0.88), NOW, 12, first=1000), "later")
    world.evaluate(NOW + 3 * DAY)
    assert (world.pointer.champion, world.pointer.probation) == (NEW, None)


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
    assert "; decided at 200 labels at the earliest: e-value" in found["reason"]
    assert 0 < found["evidence"] < 20
    assert 0 < found["evidence_good"] < 20

"""The way back that the history of a pointer leaves open, and the move that takes it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hindsight.registry.champions import champions_left
from hindsight.registry.moves import Account, PointerStep, roll_back
from hindsight.registry.pointer import Change, Pointer, PointerMove, Probation
from hindsight.registry.store import Registry
from hindsight.registry.version import VersionRecord
from hindsight.rollout.deployment import servable

MOST_MOVES = 1000


def moves_of(registry: Registry, model: str) -> list[PointerMove]:
    """Return the moves of a model's pointer that a way back is told from, the oldest first."""
    return sorted(registry.history(model, MOST_MOVES), key=lambda move: move.sequence)


def step_back(moves: Sequence[PointerMove], pointer: Pointer, record: VersionRecord, account: Account) -> PointerStep:
    """Make a version the champion again, with what history says of it.

    The pointer then names where the next rollback would lead, and a probation that the version had not passed when it
    was replaced goes on, unless what it was held against is no longer on the way.
    """
    step = roll_back(pointer, servable(record), account)
    left = champions_left([*moves, step.move])
    previous = left[-2] if len(left) > 1 else None
    probation = unfinished_probation(moves, record.version)
    if probation is not None and probation.against != previous:
        probation = None
    return step._replace(pointer=replace(step.pointer, previous=previous, probation=probation))


def unfinished_probation(moves: Iterable[PointerMove], version: str) -> Probation | None:
    """Return the probation that a version was on when it last served, None if it had passed it or had none."""
    found: Probation | None = None
    for move in moves:
        if move.to_version != version:
            continue
        if move.change is Change.PROMOTED:
            found = None if move.from_version is None else Probation(against=move.from_version, since=move.at)
        elif move.change is Change.PROBATION_PASSED:
            found = None
    return found

"""Put a proven version into service."""

from collections.abc import Callable

from shared.errors import Conflict
from shared.registry.moves import Account, Servable, promote
from shared.registry.pointer import Pointer, PointerMove
from shared.registry.run import RetrainingRun
from shared.registry.store import Registry
from shared.registry.version import Verdict, VersionRecord

DEPLOYED_BY_PIPELINE = "pipeline"
_MOVES_LOOKED_BACK = 20


def deploy(
    registry: Registry, run: RetrainingRun, version: str, require_loadable: Callable[[VersionRecord], None]
) -> PointerMove:
    """Point the model at a version and return the move that did; a repeated call finds the move already made.

    ``require_loadable`` raises for a version whose artefact cannot be served: the pointer never names such a one.
    Raises NotFound, UnusableArtifact, Conflict for a version the gate rejected or a pointer that moved meanwhile,
    and StaleRun for a run that has lost the model's lock.
    """
    record = registry.version(run.model, version)
    if record.verdict is not Verdict.PROMOTE:
        raise Conflict(f"the gate rejected {version}")
    pointer = registry.pointer(run.model)
    if (made := _move_already_made(registry, run, version, pointer)) is not None:
        return made
    require_loadable(record)
    account = Account(why=run.reason, by=DEPLOYED_BY_PIPELINE, at=run.as_of, decision_id=run.decision_id)
    step = promote(pointer, servable(record), account)
    registry.move_pointer(run.model, step, fencing_token=run.fencing_token)
    return step.move


def servable(record: VersionRecord) -> Servable:
    """Return what the pointer keeps of a version."""
    return Servable(version=record.version, artifact_key=record.artifact_key, artifact_digest=record.artifact_digest)


def _move_already_made(
    registry: Registry, run: RetrainingRun, version: str, pointer: Pointer | None
) -> PointerMove | None:
    """Return this run's own move. It need not be the last: someone may have rolled back since, and a retry must not
    undo that.
    """
    newest = pointer.sequence if pointer else 0
    for sequence in range(newest, max(0, newest - _MOVES_LOOKED_BACK), -1):
        move = registry.move(run.model, sequence)
        if move is not None and move.decision_id == run.decision_id and move.to_version == version:
            return move
    return None

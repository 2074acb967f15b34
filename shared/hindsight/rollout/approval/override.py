"""An operator puts a version into service that the gate rejected."""

from collections.abc import Callable
from dataclasses import dataclass

from hindsight.core.announcements import Announcement, Announcements
from hindsight.core.errors import Conflict, UnusableArtifact
from hindsight.registry.moves import Account, promote
from hindsight.registry.pointer import Pointer, PointerMove
from hindsight.registry.store import Registry
from hindsight.registry.version import Verdict, VersionRecord
from hindsight.rollout.approval.approval import Answer
from hindsight.rollout.deployment import servable


@dataclass(frozen=True, slots=True)
class Overrides:
    """Takes overrides; ``require_loadable`` raises UnusableArtifact for a version that cannot be served."""

    registry: Registry
    announcements: Announcements
    require_loadable: Callable[[VersionRecord], None]

    def take(self, model: str, version: str, answer: Answer) -> PointerMove:
        """Make a version the champion against the gate's verdict and return the move that did.

        A repeated call finds the move already made and announces it again. Raises NotFound for an unknown version,
        Conflict for one that the gate passed, that cannot be loaded, or if the pointer moves meanwhile.
        """
        record = self.registry.version(model, version)
        if record.verdict is Verdict.PROMOTE:
            raise Conflict(f"the gate passed {version}: it needs no override")
        # Read before the version is loaded: what moves meanwhile was not what the operator saw.
        before = self.registry.pointer(model)
        move = self._move_already_made(model, version, before) or self._move(model, record, before, answer)
        self.announcements.publish([_announcement(model, record, move)])
        return move

    def _move(self, model: str, record: VersionRecord, before: Pointer | None, answer: Answer) -> PointerMove:
        if record.expired_at is not None:
            raise Conflict(f"{record.version} has expired: its artefact is no longer kept")
        try:
            self.require_loadable(record)
        except UnusableArtifact as error:
            raise Conflict(f"{record.version} cannot be served: {error.message}") from error
        refused = ", ".join(check.name for check in record.checks if not check.passed)
        why = f"override of the gate's {refused}: {answer.reason}"
        # No fencing token: a run that judged another champion finds the pointer moved when it deploys.
        account = Account(why=why, by=answer.by, at=answer.at)
        step = promote(before, servable(record), account)
        self.registry.move_pointer(model, step)
        return step.move

    def _move_already_made(self, model: str, version: str, pointer: Pointer | None) -> PointerMove | None:
        """Return the move that made a version champion, while it is."""
        if pointer is None or pointer.champion != version:
            return None
        moves = self.registry.history(model, pointer.sequence)
        return next(move for move in moves if move.to_version == version and move.from_version != version)


def _announcement(model: str, record: VersionRecord, move: PointerMove) -> Announcement:
    return Announcement(
        name="GateOverridden",
        correlation_id=record.decision_id,
        at=move.at,
        data={
            "model": model,
            "version": record.version,
            "previous": move.from_version,
            "by": move.by,
            "reason": move.why,
            "refused": record.reasons,
        },
    )

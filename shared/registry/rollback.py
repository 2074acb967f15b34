"""Take a champion back: to the version before it, or to one that a person names."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol

from pydantic import Field

from shared.announcements import Announcement, Announcements
from shared.capture.clocks import ClientTimestamps
from shared.capture.intake import Identifier, parse_item
from shared.configuration.store import ConfigurationStore
from shared.errors import Conflict, NoModel, UnusableArtifact
from shared.operator_request import OperatorRequest
from shared.registry.champions import champions_left
from shared.registry.deployment import servable
from shared.registry.moves import Account, roll_back
from shared.registry.pointer import Pointer, PointerMove
from shared.registry.store import Registry
from shared.registry.version import Verdict, VersionRecord

MOST_MOVES = 1000
ROLLED_BACK = "ModelRolledBack"


class RollbackRequest(OperatorRequest):
    """The body of a request: back to which version (default: the champion before), and from which one.

    With ``from`` a request that is sent again, because its answer was lost, does not go back twice.
    """

    to: Identifier | None = None
    from_version: Annotated[Identifier | None, Field(alias="from")] = None


class BackOff(Protocol):
    """What holds the next run back for a while."""

    def note_rollback(self, model: str, at: datetime) -> bool:
        """Back off from a version that was taken back at a moment; False if it was noted before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollbacks:
    """Takes champions back, for a person and for what watches them.

    ``require_loadable`` raises UnusableArtifact for a version that cannot be served.
    """

    registry: Registry
    configurations: ConfigurationStore
    back_off: BackOff
    announcements: Announcements
    trust: ClientTimestamps
    require_loadable: Callable[[VersionRecord], None]

    def take(self, model: str, body: object, *, now: datetime, requested_by: str) -> PointerMove:
        """Do what a person asks for, and return the move.

        Raises InvalidInput with the path at fault, NotFound for an unknown model or version, NoModel before the first
        deployment, Conflict where there is no way back or the pointer has moved.
        """
        request = parse_item(RollbackRequest, body, "")
        known = self.configurations.current(model).configuration.model
        pointer = self.registry.pointer(known)
        if pointer is None:
            raise NoModel(f"no version of {model!r} has been deployed yet")
        if request.from_version is not None and request.from_version != pointer.champion:
            raise Conflict(f"{pointer.champion} serves, not {request.from_version}")
        account = Account(why=request.reason, by=requested_by, at=request.moment(now, self.trust))
        return self.roll_back(known, pointer, request.to, account)

    def roll_back(self, model: str, pointer: Pointer, to: str | None, account: Account) -> PointerMove:
        """Make an earlier version the champion, hold the next run back, and announce it; raises as ``take`` does.

        The pointer moves first: if what follows fails, the model is safe and the history tells.
        """
        moves = sorted(self.registry.history(model, MOST_MOVES), key=lambda move: move.sequence)
        way_back = champions_left(moves)
        target = to if to is not None else (way_back[-2] if len(way_back) > 1 else None)
        if target is None:
            raise Conflict(f"there is no version before {pointer.champion} to go back to")
        if target == pointer.champion:
            raise Conflict(f"{target} serves already")
        record = self.registry.version(model, target)
        self._require_fit(record, moves)
        kept = way_back[: way_back.index(target)] if target in way_back else way_back[:-1]
        step = roll_back(pointer, servable(record), kept[-1] if kept else None, account)
        self.registry.move_pointer(model, step)
        self.back_off.note_rollback(model, account.at)
        self._announce(model, step.move)
        return step.move

    def _require_fit(self, record: VersionRecord, moves: list[PointerMove]) -> None:
        has_served = any(record.version in {move.from_version, move.to_version} for move in moves)
        if not has_served and record.verdict is not Verdict.PROMOTE:
            raise Conflict(
                f"{record.version} has not passed the gate; approving it with an override puts it into service"
            )
        try:
            self.require_loadable(record)
        except UnusableArtifact as error:
            raise Conflict(f"{record.version} cannot be served: {error.message}") from error

    def _announce(self, model: str, move: PointerMove) -> None:
        announcement = Announcement(
            name=ROLLED_BACK,
            correlation_id=f"{model}#{move.sequence}",
            at=move.at,
            data={"model": model, **move.to_json()},
        )
        self.announcements.publish([announcement])

"""Take a champion back: to the version before it, or to one that a person names."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol

from pydantic import Field

from hindsight.config.store import ConfigurationStore
from hindsight.core.announcements import Announcement, Announcements
from hindsight.core.errors import Conflict, NoModel, UnusableArtifact
from hindsight.registry.champions import champions_left
from hindsight.registry.moves import Account, PointerStep, withdraw_trial
from hindsight.registry.pointer import Change, Pointer, PointerMove
from hindsight.registry.store import Registry
from hindsight.registry.version import VersionRecord
from hindsight.rollout.rollback_target import moves_of, step_back
from hindsight.validation.items import Identifier, parse_item
from hindsight.validation.operator_request import OperatorRequest
from hindsight.validation.timestamps import ClientTimestamps

ROLLED_BACK = "ModelRolledBack"
WITHDRAWN = {Change.CANARY_STARTED: "CanaryWithdrawn", Change.SHADOW_STARTED: "ShadowWithdrawn"}


class RollbackRequest(OperatorRequest):
    """The body of a request: back to which version (default: the champion before), and from which one.

    With ``from`` or ``to`` a request that is sent again, because its answer was lost, does not go back twice.
    """

    to: Identifier | None = None
    from_version: Annotated[Identifier | None, Field(alias="from")] = None


class BackOff(Protocol):
    """What holds the next run back for a while."""

    def record_rollback(self, model: str, at: datetime) -> bool:
        """Back off from a version that was taken back at a moment; False if it was noted before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollbacks:
    """Takes champions back for a person.

    ``require_loadable`` raises UnusableArtifact for a version that cannot be served.
    """

    registry: Registry
    configurations: ConfigurationStore
    back_off: BackOff
    announcements: Announcements
    trust: ClientTimestamps
    require_loadable: Callable[[VersionRecord], None]

    def take(self, model: str, body: object, *, now: datetime, requested_by: str) -> PointerMove:
        """Do what a person asks for, and return the move; the same request again, if it names an end, finds it made.

        Raises InvalidInput with the path at fault, NotFound for an unknown model or version, NoModel before the first
        deployment, Conflict where there is no way back or the pointer has moved, Unavailable where the pointer has
        moved but not everybody could be told: sending the request again tells them.
        """
        request = parse_item(RollbackRequest, body, "")
        known = self.configurations.current(model).configuration.model
        pointer = self.registry.pointer(known)
        if pointer is None:
            raise NoModel(f"no version of {model!r} has been deployed yet")
        account = Account(why=request.reason, by=requested_by, at=request.moment(now, self.trust))
        made = self.registry.move(known, pointer.sequence)
        if made is not None and _is_what_was_asked(made, request, account):
            self._tell(known, made)
            return made
        if request.from_version is not None and request.from_version != pointer.champion:
            raise Conflict(f"{pointer.champion} serves, not {request.from_version}")
        return self.roll_back(known, pointer, request.to, account)

    def roll_back(self, model: str, pointer: Pointer, to: str | None, account: Account) -> PointerMove:
        """Make an earlier version the champion, hold the next run back, and announce it; raises as ``take`` does.

        Back to the champion itself means back to it alone: a version that is tried beside it is taken away.
        The pointer moves first: if what follows fails, the model is safe and the history tells.
        """
        if to == pointer.champion and pointer.trial is not None:
            step = withdraw_trial(pointer, account)
        else:
            step = self._way_back(model, pointer, to, account)
        self.registry.move_pointer(model, step)
        self._tell(model, step.move)
        return step.move

    def _way_back(self, model: str, pointer: Pointer, to: str | None, account: Account) -> PointerStep:
        moves = moves_of(self.registry, model)
        way_back = champions_left(moves)
        if way_back[-1] != pointer.champion:
            raise Conflict(f"the pointer of {model!r} has moved meanwhile")
        target = to if to is not None else (way_back[-2] if len(way_back) > 1 else None)
        if target is None:
            raise Conflict(f"there is no version before {pointer.champion} to go back to")
        if target == pointer.champion:
            raise Conflict(f"{target} serves already")
        record = self.registry.version(model, target)
        self._require_fit(record, moves)
        return step_back(moves, pointer, record, account)

    def _require_fit(self, record: VersionRecord, moves: list[PointerMove]) -> None:
        # One that passed the gate and never served may wait for a person's approval, or have been refused it.
        if not any(record.version in {move.from_version, move.to_version} for move in moves):
            raise Conflict(f"{record.version} has never served, so that there is no way back to it")
        if record.expired_at is not None:
            raise Conflict(f"{record.version} has expired: its artefact is no longer kept")
        try:
            self.require_loadable(record)
        except UnusableArtifact as error:
            raise Conflict(f"{record.version} cannot be served: {error.message}") from error

    def _tell(self, model: str, move: PointerMove) -> None:
        self.back_off.record_rollback(model, move.at)
        announcement = Announcement(
            name=ROLLED_BACK if move.change is Change.ROLLED_BACK else self._withdrawn(model, move),
            correlation_id=f"{model}#{move.sequence}",
            at=move.at,
            data={"model": model, **move.to_json()},
        )
        self.announcements.publish([announcement])

    def _withdrawn(self, model: str, move: PointerMove) -> str:
        """Return what the end of a trial is announced as, by how it began."""
        began = (
            found.change for found in reversed(moves_of(self.registry, model)) if found.challenger == move.challenger
        )
        return next(WITHDRAWN[change] for change in began if change in WITHDRAWN)


def _is_what_was_asked(move: PointerMove, request: RollbackRequest, account: Account) -> bool:
    """Return whether the last move is what a request asks for, so that it is that request once more.

    One that names neither end is never: the second of two may mean one version further back.
    """
    if (move.why, move.by) != (account.why, account.by) or request.from_version not in {None, move.from_version}:
        return False
    if move.change is Change.TRIAL_WITHDRAWN:
        return request.to == move.to_version
    names_an_end = request.from_version is not None or request.to is not None
    return move.change is Change.ROLLED_BACK and names_an_end and request.to in {None, move.to_version}

"""What follows from a move of the watch: an announcement, and for the triggers a back-off or its end.

The history of the pointer is the outbox: a crash between a move and what follows from it delays that to the next look.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hindsight.core.announcements import Announcement, Announcements
from hindsight.evaluation.sequential.progress import WatchProgress
from hindsight.registry.pointer import Change, PointerMove
from hindsight.registry.store import Registry
from hindsight.rollout.deployment import DEPLOYED_BY_PIPELINE
from hindsight.triggers.store import TriggerStore

BY_WATCH = "watch"
ENDS_OF_TRIALS: Mapping[tuple[Change | None, Change], str] = {
    (Change.CANARY_STARTED, Change.PROMOTED): "CanaryPromoted",
    (Change.CANARY_STARTED, Change.TRIAL_WITHDRAWN): "CanaryWithdrawn",
    (Change.SHADOW_STARTED, Change.PROMOTED): "ShadowPromoted",
    (Change.SHADOW_STARTED, Change.TRIAL_WITHDRAWN): "ShadowWithdrawn",
}
OTHER_MOVES = {Change.ROLLED_BACK: "ModelRolledBack", Change.PROBATION_PASSED: "ProbationPassed"}

_BEGINNINGS = {Change.CANARY_STARTED, Change.SHADOW_STARTED}
_MOST_MOVES = 50  # that are caught up with; there are a few a week


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """Draws the consequences of moves, each at least once; all that they do is done once however often it is told."""

    registry: Registry
    triggers: TriggerStore
    announcements: Announcements
    progress: WatchProgress

    def draw(self, model: str) -> None:
        """Draw the consequences of all moves that have come since the last time. Raises Unavailable."""
        pointer = self.registry.pointer(model)
        told = self.progress.told(model)
        if pointer is None or pointer.sequence <= told:
            return
        for move in self._moves(model, max(told, pointer.sequence - _MOST_MOVES), pointer.sequence):
            self._note(model, move)
            if _is_untold(move) and (found := self._announcement(model, move)) is not None:
                self.announcements.publish([found])
        self.progress.note_told(model, pointer.sequence)

    def _moves(self, model: str, after: int, last: int) -> Iterator[PointerMove]:
        for sequence in range(after + 1, last + 1):
            if (move := self.registry.move(model, sequence)) is not None:
                yield move

    def _note(self, model: str, move: PointerMove) -> None:
        # A person's rollback has been noted by whoever made it, unless that crashed: noting it again does nothing.
        if move.change is Change.ROLLED_BACK or (move.change is Change.TRIAL_WITHDRAWN and move.by == BY_WATCH):
            self.triggers.record_rollback(model, move.at)
        elif move.change is Change.PROBATION_PASSED:
            self.triggers.reset_rollback_backoff(model, move.at)

    def _announcement(self, model: str, move: PointerMove) -> Announcement | None:
        name = OTHER_MOVES.get(move.change) or ENDS_OF_TRIALS.get((self._beginning(model, move), move.change))
        if name is None:
            return None
        return Announcement(
            name=name,
            correlation_id=move.decision_id or f"{model}#{move.sequence}",
            at=move.at,
            data={"model": model, **move.to_json()},
        )

    def _beginning(self, model: str, move: PointerMove) -> Change | None:
        """Return how the trial that a move ends began, None where it ends none."""
        tried = move.to_version if move.change is Change.PROMOTED else move.challenger
        for sequence in range(move.sequence - 1, max(0, move.sequence - _MOST_MOVES), -1):
            before = self.registry.move(model, sequence)
            if before is not None and before.change in _BEGINNINGS and before.challenger == tried:
                return before.change
        return None


def _is_untold(move: PointerMove) -> bool:
    """Return whether only the watch tells of a move: its own, and the end of a trial that a newer run displaced."""
    return move.by == BY_WATCH or (move.by == DEPLOYED_BY_PIPELINE and move.change is Change.TRIAL_WITHDRAWN)

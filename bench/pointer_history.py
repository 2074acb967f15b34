"""The history of a serving pointer, replayed from its first move."""

from collections.abc import Sequence

from hindsight.registry.pointer import Change, DeploymentRecord


def replayed(moves: Sequence[DeploymentRecord]) -> tuple[str | None, str | None, str | None]:
    """Replay a history to its champion and its version in a rollout; name the first move that does not follow."""
    champion: str | None = None
    rollout: str | None = None
    for move in moves:
        if move.from_version != champion:
            return champion, rollout, f"move {move.sequence} begins at {move.from_version}, but {champion} served"
        if not move.reason or not move.actor:
            return champion, rollout, f"move {move.sequence} does not say why or by whom"
        if move.change in {Change.CANARY_STARTED, Change.SHADOW_STARTED}:
            if rollout is not None or move.to_version != champion:
                return champion, rollout, f"move {move.sequence} starts a second rollout"
            rollout = move.challenger
        elif move.change is not Change.PROBATION_PASSED:
            ended = move.to_version if move.to_version == rollout else move.challenger
            if rollout != (ended if ended == rollout else None):
                return champion, rollout, f"move {move.sequence} ends the rollout of {rollout} without a word"
            rollout = None
        champion = move.to_version
    return champion, rollout, None

"""The moves of the serving pointer there are: pure, each from one pointer to the next with what history says of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from hindsight.core.errors import Conflict
from hindsight.registry.pointer import Change, Pointer, PointerMove, Probation, Trial, TrialMode


class PointerStep(NamedTuple):
    """A move and the pointer it leads to; the registry stores both or neither."""

    pointer: Pointer
    move: PointerMove


@dataclass(frozen=True, slots=True, kw_only=True)
class Servable:
    """A version that can serve, and where its artefact lies."""

    version: str
    artifact_key: str
    artifact_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What history says of a move: why, by whom, when, and by which decision if it was a run's."""

    why: str
    by: str
    at: datetime
    decision_id: str | None = None


def promote(before: Pointer | None, version: Servable, account: Account) -> PointerStep:
    """Make a version the champion, on probation against the one it takes over from; a trial beside that one ends."""
    probation = None if before is None else Probation(against=before.champion, since=account.at)
    return _champion_changes(before, version, account, Change.PROMOTED, probation)


def start_trial(
    before: Pointer, version: Servable, mode: TrialMode, share: float | None, account: Account
) -> PointerStep:
    """Put a version beside the champion. Raises Conflict while another one is tried."""
    if before.trial is not None:
        raise Conflict(f"{before.trial.version} is still being tried beside {before.champion}")
    trial = Trial(
        version=version.version,
        mode=mode,
        share=share,
        artifact_key=version.artifact_key,
        artifact_digest=version.artifact_digest,
        since=account.at,
        decision_id=account.decision_id,
    )
    change = Change.CANARY_STARTED if mode is TrialMode.CANARY else Change.SHADOW_STARTED
    return _champion_stays(before, replace(before, trial=trial), account, change, trial.version)


def promote_trial(before: Pointer, account: Account) -> PointerStep:
    """Make the version that was tried the champion. Raises Conflict if none is tried."""
    trial = _require_trial(before)
    version = Servable(version=trial.version, artifact_key=trial.artifact_key, artifact_digest=trial.artifact_digest)
    return promote(before, version, account)


def withdraw_trial(before: Pointer, account: Account) -> PointerStep:
    """Take the version that was tried away; the champion stays. Raises Conflict if none is tried."""
    trial = _require_trial(before)
    return _champion_stays(before, replace(before, trial=None), account, Change.TRIAL_WITHDRAWN, trial.version)


def roll_back(before: Pointer, version: Servable, account: Account) -> PointerStep:
    """Make a version the champion that was it before; what lies before that one, ``way_back`` tells."""
    step = _champion_changes(before, version, account, Change.ROLLED_BACK, None)
    return step._replace(pointer=replace(step.pointer, previous=None))


def pass_probation(before: Pointer, account: Account) -> PointerStep:
    """End the champion's probation. Raises Conflict if it is on none."""
    if before.probation is None:
        raise Conflict(f"{before.champion} is on no probation")
    return _champion_stays(before, replace(before, probation=None), account, Change.PROBATION_PASSED, None)


def _require_trial(before: Pointer) -> Trial:
    if before.trial is None:
        raise Conflict(f"no version is tried beside {before.champion}")
    return before.trial


def _champion_changes(
    before: Pointer | None, version: Servable, account: Account, change: Change, probation: Probation | None
) -> PointerStep:
    pointer = Pointer(
        champion=version.version,
        sequence=before.sequence + 1 if before else 1,
        updated_at=account.at,
        serving_since=account.at,
        artifact_key=version.artifact_key,
        artifact_digest=version.artifact_digest,
        previous=before.champion if before else None,
        probation=probation,
    )
    ended = before.trial.version if before and before.trial and before.trial.version != version.version else None
    return PointerStep(pointer, _move(before, pointer, account, change, ended))


def _champion_stays(
    before: Pointer, after: Pointer, account: Account, change: Change, challenger: str | None
) -> PointerStep:
    pointer = replace(after, sequence=before.sequence + 1, updated_at=account.at)
    return PointerStep(pointer, _move(before, pointer, account, change, challenger))


def _move(
    before: Pointer | None, after: Pointer, account: Account, change: Change, challenger: str | None
) -> PointerMove:
    return PointerMove(
        sequence=after.sequence,
        change=change,
        from_version=before.champion if before else None,
        to_version=after.champion,
        challenger=challenger,
        why=account.why,
        by=account.by,
        at=account.at,
        decision_id=account.decision_id,
    )

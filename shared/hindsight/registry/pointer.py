"""The serving pointer of a model and its deployments: every change of it, append-only."""

from datetime import datetime
from enum import StrEnum

from hindsight.core.codec import Record


class RolloutMode(StrEnum):
    """The way a challenger runs beside the champion: a canary answers a share of traffic, a shadow none."""

    CANARY = "canary"
    SHADOW = "shadow"


class Change(StrEnum):
    """The kind of change that a deployment made to the pointer."""

    PROMOTED = "promoted"
    CANARY_STARTED = "canary_started"
    SHADOW_STARTED = "shadow_started"
    ROLLOUT_ABORTED = "rollout_aborted"
    ROLLED_BACK = "rolled_back"
    PROBATION_PASSED = "probation_passed"


class Rollout(Record, frozen=True, kw_only=True):
    """A challenger beside the champion; ``share`` is the share of entities a canary answers, None of a shadow."""

    version: str
    mode: RolloutMode
    artifact_key: str
    artifact_digest: str
    since: datetime
    share: float | None = None
    decision_id: str | None = None


class Probation(Record, frozen=True, kw_only=True):
    """The first time of a champion, since it took over from ``against``, to which it would be rolled back."""

    against: str
    since: datetime


class Pointer(Record, frozen=True, kw_only=True):
    """The serving state: the champion, its artefact, the rollout beside it, and the number of the pointer's moves.

    ``serving_since`` is when the champion took over, ``updated_at`` the last change, of any kind. ``previous`` is
    where a rollback leads unless it names a version.
    """

    champion: str
    sequence: int
    updated_at: datetime
    serving_since: datetime
    artifact_key: str
    artifact_digest: str
    previous: str | None = None
    rollout: Rollout | None = None
    probation: Probation | None = None

    @property
    def is_external(self) -> bool:
        """True if another server answers with the champion: there is no artefact of it here."""
        return not self.artifact_key


class DeploymentRecord(Record, frozen=True, kw_only=True, rename={"from_version": "from", "to_version": "to"}):
    """One change of the pointer: the ``sequence``-th, counted from 1; never changed once written.

    ``from_version`` and ``to_version`` are the champion before and after, one and the same where only a rollout began
    or ended; then ``challenger`` names its version. ``decision_id`` is absent for a person's change.
    """

    sequence: int
    change: Change
    from_version: str | None = None
    to_version: str
    challenger: str | None = None
    reason: str
    actor: str
    at: datetime
    decision_id: str | None = None

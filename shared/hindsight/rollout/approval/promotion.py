"""The promotion of a registered version by a person's word."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hindsight.config.store import ConfigurationStore
from hindsight.core.announcements import Announcement, Announcements
from hindsight.core.errors import Conflict
from hindsight.registry.moves import AuditInfo, promote
from hindsight.registry.pointer import Change, DeploymentRecord, Pointer
from hindsight.registry.store import Registry
from hindsight.registry.version import Verdict, VersionRecord
from hindsight.rollout.approval.override import override_announcement, override_reason
from hindsight.rollout.approval.store import ApprovalStore
from hindsight.rollout.deployment import require_servable, servable
from hindsight.validation.items import parse_item
from hindsight.validation.operator_request import OperatorRequest
from hindsight.validation.timestamps import ClientTimestamps

PROMOTED = "VersionPromoted"


class PromotionRequest(OperatorRequest):
    """The body of a request: its reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotions:
    """Promotes versions for a person; ``require_loadable`` raises UnusableArtifact for one that cannot be served."""

    registry: Registry
    configurations: ConfigurationStore
    approvals: ApprovalStore
    announcements: Announcements
    trust: ClientTimestamps
    require_loadable: Callable[[VersionRecord], None]

    def take(self, model: str, version: str, body: object, *, now: datetime, actor: str) -> DeploymentRecord:
        """Make a version the champion, with any verdict of the gate; a rollout ends.

        Raises InvalidInput with the path at fault, NotFound for an unknown model or version, Conflict for one that
        serves already, waits for an approval or cannot be served, or if the pointer moves meanwhile, Unavailable where
        it has moved but the event was not published: the same request again publishes it.
        """
        request = parse_item(PromotionRequest, body, "")
        known = self.configurations.current(model).configuration.model
        record = self.registry.version(known, version)
        # Read before the version is loaded: a pointer that moves meanwhile is not the one the operator saw.
        before = self.registry.pointer(known)
        at = request.moment(now, self.trust)
        audit = AuditInfo(reason=_reason(record, request.reason), actor=actor, at=at)
        if before is not None and before.champion == version:
            self._publish_again(known, record, before, audit)
            raise Conflict(f"{version} serves already")
        self._require_unasked(known, version, at)
        require_servable(record, self.require_loadable)
        # No fencing token: a run that judged another champion finds the pointer moved when it deploys.
        step = promote(before, servable(record), audit)
        self.registry.move_pointer(known, step)
        self.announcements.publish([_announcement(known, record, step.deployment)])
        return step.deployment

    def _require_unasked(self, model: str, version: str, at: datetime) -> None:
        """Refuse a version whose run waits for a person: promoted past it, the run would end as a failure."""
        asked = self.approvals.load(model, version)
        if asked is not None and asked.answer is None and at < asked.expires_at:
            raise Conflict(f"the run of {version} waits for an approval: approve it")

    def _publish_again(self, model: str, record: VersionRecord, pointer: Pointer, audit: AuditInfo) -> None:
        """Publish the event of the last deployment if it is this request's, whose answer may have been lost."""
        made = self.registry.deployment(model, pointer.sequence)
        if (
            made is not None
            and made.change is Change.PROMOTED
            and (made.actor, made.reason)
            == (
                audit.actor,
                audit.reason,
            )
        ):
            self.announcements.publish([_announcement(model, record, made)])


def _reason(record: VersionRecord, reason: str) -> str:
    return override_reason(record, reason) if record.verdict is Verdict.REJECT else reason


def _announcement(model: str, record: VersionRecord, made: DeploymentRecord) -> Announcement:
    if record.verdict is Verdict.REJECT:
        return override_announcement(model, record, made)
    return Announcement(
        name=PROMOTED,
        correlation_id=f"{model}#{made.sequence}",
        at=made.at,
        data={"model": model, **made.to_plain()},
    )

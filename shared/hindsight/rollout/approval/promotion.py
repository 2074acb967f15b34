"""The promotion of a registered version by a person's word: at once, or by a canary or a shadow first."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from hindsight.config.model import ModelConfiguration, ServedBy
from hindsight.config.store import ConfigurationStore
from hindsight.config.training import Strategy
from hindsight.core.announcements import Announcement, Announcements
from hindsight.core.errors import Conflict
from hindsight.registry.moves import AuditInfo
from hindsight.registry.pointer import Change, DeploymentRecord, Pointer
from hindsight.registry.store import Registry
from hindsight.registry.version import Verdict, VersionRecord
from hindsight.rollout.approval.override import override_announcement, override_reason
from hindsight.rollout.approval.store import ApprovalStore
from hindsight.rollout.deployment import deployment_step, require_servable, servable
from hindsight.validation.items import parse_item
from hindsight.validation.operator_request import OperatorRequest
from hindsight.validation.timestamps import ClientTimestamps

PROMOTED = "VersionPromoted"
STARTED = "RolloutStarted"
_CHANGES = {
    Strategy.DIRECT: Change.PROMOTED,
    Strategy.CANARY: Change.CANARY_STARTED,
    Strategy.SHADOW: Change.SHADOW_STARTED,
}


class PromotionRequest(OperatorRequest):
    """The body of a request: its reason, and by which strategy; the terms are the configuration's."""

    strategy: Annotated[Strategy, Field(strict=False)] = Strategy.DIRECT


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
        """Make a version the champion, with any verdict of the gate; or start a canary or a shadow of it.

        A rollout ends where the version takes over at once. Raises InvalidInput with the path at fault, NotFound for an
        unknown model or version, Conflict for one that serves already, waits for an approval or cannot be served, for
        a rollout beside another one, or if the pointer moves meanwhile, Unavailable where it has moved but the event
        was not published: the same request again publishes it.
        """
        request = parse_item(PromotionRequest, body, "")
        configuration = self.configurations.current(model).configuration
        known = configuration.model
        record = self.registry.version(known, version)
        # Read before the version is loaded: a pointer that moves meanwhile is not the one the operator saw.
        before = self.registry.pointer(known)
        at = request.moment(now, self.trust)
        audit = AuditInfo(reason=_reason(record, request.reason), actor=actor, at=at)
        if before is not None and _is_in_place(before, version, request.strategy):
            self._publish_again(known, record, before, request.strategy, audit)
            raise Conflict(f"{version} serves already")
        self._require_unasked(known, version, at)
        require_servable(record, self.require_loadable)
        if request.strategy is not Strategy.DIRECT:
            _require_answering(configuration, record)
        # No fencing token: a run that judged another champion finds the pointer moved when it deploys.
        step = deployment_step(before, servable(record), configuration.deployment, request.strategy, audit)
        self.registry.move_pointer(known, step)
        self.announcements.publish([_announcement(known, record, step.deployment)])
        return step.deployment

    def _require_unasked(self, model: str, version: str, at: datetime) -> None:
        """Refuse a version whose run waits for a person: promoted past it, the run would end as a failure."""
        asked = self.approvals.load(model, version)
        if asked is not None and asked.answer is None and at < asked.expires_at:
            raise Conflict(f"the run of {version} waits for an approval: approve it")

    def _publish_again(
        self, model: str, record: VersionRecord, pointer: Pointer, strategy: Strategy, audit: AuditInfo
    ) -> None:
        """Publish the event of the last deployment if it is this request's, whose answer may have been lost."""
        made = self.registry.deployment(model, pointer.sequence)
        asked = (_CHANGES[strategy], audit.actor, audit.reason)
        if made is not None and (made.change, made.actor, made.reason) == asked:
            self.announcements.publish([_announcement(model, record, made)])


def _is_in_place(pointer: Pointer, version: str, strategy: Strategy) -> bool:
    """Check whether a version has the place that is asked for, or a higher one."""
    if pointer.champion == version:
        return True
    return strategy is not Strategy.DIRECT and pointer.rollout is not None and pointer.rollout.version == version


def _require_answering(configuration: ModelConfiguration, record: VersionRecord) -> None:
    """Refuse the rollout of a version that the server of the model cannot answer with."""
    if record.is_external is not (configuration.serving is ServedBy.EXTERNAL):
        where = "elsewhere" if record.is_external else "here"
        raise Conflict(f"{record.version} is served {where}, and the model is not")


def _reason(record: VersionRecord, reason: str) -> str:
    return override_reason(record, reason) if record.verdict is Verdict.REJECT else reason


def _announcement(model: str, record: VersionRecord, made: DeploymentRecord) -> Announcement:
    if record.verdict is Verdict.REJECT and made.change is Change.PROMOTED:
        return override_announcement(model, record, made)
    return Announcement(
        name=PROMOTED if made.change is Change.PROMOTED else STARTED,
        correlation_id=f"{model}#{made.sequence}",
        at=made.at,
        data={"model": model, **made.to_plain()},
    )

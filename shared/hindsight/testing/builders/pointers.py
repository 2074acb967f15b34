"""Steps of the serving pointer for tests that need a version to serve."""

from datetime import datetime

from hindsight.registry.moves import AuditInfo, PointerStep, Servable, promote
from hindsight.registry.pointer import Pointer


def promoted(
    version: str,
    at: datetime,
    before: Pointer | None = None,
    *,
    key: str = "k",
    digest: str = "d",
    reason: str = "better",
    decision_id: str | None = None,
) -> PointerStep:
    """Build the step that makes a version the champion."""
    audit = AuditInfo(reason=reason, actor="pipeline", at=at, decision_id=decision_id)
    return promote(before, Servable(version=version, artifact_key=key, artifact_digest=digest), audit)

"""Steps of the serving pointer for tests that need a version to serve."""

from datetime import datetime

from hindsight.registry.moves import Account, PointerStep, Servable, promote
from hindsight.registry.pointer import Pointer


def promoted(
    version: str,
    at: datetime,
    before: Pointer | None = None,
    *,
    key: str = "k",
    digest: str = "d",
    why: str = "better",
    decision_id: str | None = None,
) -> PointerStep:
    """Return the step that makes a version the champion."""
    account = Account(why=why, by="pipeline", at=at, decision_id=decision_id)
    return promote(before, Servable(version=version, artifact_key=key, artifact_digest=digest), account)

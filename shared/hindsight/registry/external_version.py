"""The record of a version that was made elsewhere."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hindsight.core.errors import NotFound
from hindsight.registry.store import Registry
from hindsight.registry.version import Verdict, VersionRecord

EXTERNAL = "external"


def external_version(
    version: str,
    revision: int,
    now: datetime,
    expected: Mapping[str, float | None] | None = None,
    registration: Mapping[str, Any] | None = None,
) -> VersionRecord:
    """Build the record of a version that was made elsewhere: without artefact, dataset and verdict of the gate."""
    asked = registration or {}
    return VersionRecord(
        version=version,
        created_at=now,
        candidate=EXTERNAL,
        decision_id="",
        dataset_id="",
        configuration_revision=revision,
        code_version="",
        artifact_key="",
        artifact_digest="",
        verdict=Verdict.UNJUDGED,
        metrics=expected or {},
        notes=(asked["description"],) if "description" in asked else (),
        registration=asked,
    )


def is_bare(record: VersionRecord) -> bool:
    """Check whether nothing is known of a version made elsewhere but its name, as of one that was adopted."""
    return record == external_version(record.version, record.configuration_revision, record.created_at)


def is_made_elsewhere(registry: Registry, model: str, version: str) -> bool:
    """Check whether a logged version was made elsewhere: it has no artefact here, or is not even registered."""
    try:
        return registry.version(model, version).is_external
    except NotFound:
        return True

"""The record of a version that was made elsewhere."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

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

"""The record of a version that was made elsewhere."""

from datetime import datetime

from hindsight.registry.version import Verdict, VersionRecord

EXTERNAL = "external"


def external_version(
    version: str,
    revision: int,
    now: datetime,
    expected: dict[str, float | None] | None = None,
    notes: tuple[str, ...] = (),
) -> VersionRecord:
    """Build the record of a version that was made elsewhere: without artefact, dataset and verdict of the gate."""
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
        notes=notes,
    )

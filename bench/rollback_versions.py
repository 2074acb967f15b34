"""Versions of simulated rollouts, and the pointer that serves them."""

from bench.rollback_records import NEW, OLD, START
from hindsight.registry.moves import AuditInfo, Servable
from hindsight.registry.version import Verdict as GateVerdict
from hindsight.registry.version import VersionRecord


def version_record(champion: float | None, challenger: float | None) -> VersionRecord:
    """Build the record of a version that the gate passed."""
    return VersionRecord(
        version=NEW,
        created_at=START,
        candidate="simulated",
        decision_id="decision",
        dataset_id="dataset",
        configuration_revision=1,
        code_version="bench",
        artifact_key="k",
        artifact_digest="d",
        verdict=GateVerdict.PROMOTE,
        metrics={"accuracy": challenger},
        compared_with=OLD,
        champion_metrics={"accuracy": champion},
    )


def servable(version: str) -> Servable:
    """Build a version as the pointer serves it."""
    return Servable(version=version, artifact_key="k", artifact_digest="d")


def audit() -> AuditInfo:
    """Build the audit of a simulated move."""
    return AuditInfo(reason="simulated", actor="bench", at=START)

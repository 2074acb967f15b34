"""Versions of simulated rollouts, and the pointer that serves them."""

from hindsight.registry.moves import AuditInfo, Servable
from hindsight.registry.version import Verdict as GateVerdict
from hindsight.registry.version import VersionRecord


def version_record(champion: float | None, challenger: float | None) -> VersionRecord:
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
    return Servable(version=version, artifact_key="k", artifact_digest="d")


def audit() -> AuditInfo:
    return AuditInfo(reason="simulated", actor="bench", at=START)

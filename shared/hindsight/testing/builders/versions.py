"""Records of versions for tests that need some to be registered."""

from datetime import datetime
from typing import Any

from hindsight.registry.version import Verdict, VersionRecord


def version_record(version: str, created_at: datetime, **known: Any) -> VersionRecord:
    """Build the record of a version that the gate passed, with other values for what is ``known``."""
    made: dict[str, Any] = {
        "candidate": "logistic_regression",
        "decision_id": f"decision-{version}",
        "dataset_id": "d1",
        "configuration_revision": 1,
        "code_version": "test",
        "artifact_key": f"models/{version}",
        "artifact_digest": f"digest-{version}",
        "verdict": Verdict.PROMOTE,
    }
    return VersionRecord(version=version, created_at=created_at, **(made | known))

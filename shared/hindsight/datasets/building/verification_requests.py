"""Requests to verify a dataset: accepted at once, worked off by a function with more time."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hindsight.config.store import ConfigurationStore
from hindsight.core import compact_json
from hindsight.core.errors import NotFound
from hindsight.core.fan_out import Invocations
from hindsight.core.times import format_time
from hindsight.lake.object_store import Lake, dataset_prefix
from hindsight.registry.store import Registry

RUNNING, FINISHED = "running", "finished"


@dataclass(frozen=True, slots=True)
class VerificationRequests:
    """The requests to verify datasets."""

    lake: Lake
    registry: Registry
    configurations: ConfigurationStore
    work: Invocations

    def take(self, model: str, dataset_id: str, now: datetime) -> dict[str, Any]:
        """Start to verify a dataset; return its state. Raises NotFound."""
        _require(self.configurations, self.registry, model, dataset_id)
        request = {"dataset_id": dataset_id, "status": RUNNING, "requested_at": format_time(now)}
        self.lake.write_bytes(
            verification_key(model, dataset_id), compact_json.dumps(request).encode(), "application/json"
        )
        self.work.start({"model": model, "dataset_id": dataset_id, "requested_at": request["requested_at"]})
        return request


@dataclass(frozen=True, slots=True)
class VerificationReports:
    """The newest verification of each dataset."""

    lake: Lake
    registry: Registry
    configurations: ConfigurationStore

    def newest(self, model: str, dataset_id: str) -> dict[str, Any]:
        """Read the newest result, or that it is pending. Raises NotFound where no verification was requested."""
        _require(self.configurations, self.registry, model, dataset_id)
        try:
            found: dict[str, Any] = json.loads(self.lake.read_bytes(verification_key(model, dataset_id)))
        except NotFound as error:
            raise NotFound(f"no verification of {dataset_id!r} was requested") from error
        return found


def verification_key(model: str, dataset_id: str) -> str:
    """Build the key of a dataset's newest verification."""
    return dataset_prefix(model, dataset_id) + "verification.json"


def _require(configurations: ConfigurationStore, registry: Registry, model: str, dataset_id: str) -> None:
    configurations.current(model)
    registry.dataset(model, dataset_id)

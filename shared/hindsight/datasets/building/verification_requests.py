"""Requests to verify a dataset: taken at once, answered when a function with more time has been through it."""

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
    """Takes requests, and tells what became of the newest of a dataset."""

    lake: Lake
    registry: Registry
    configurations: ConfigurationStore
    work: Invocations

    def take(self, model: str, dataset_id: str, now: datetime) -> dict[str, Any]:
        """Begin to verify a dataset; return what is known so far. Raises NotFound."""
        self._require(model, dataset_id)
        request = {"dataset_id": dataset_id, "status": RUNNING, "requested_at": format_time(now)}
        self.lake.write_bytes(
            verification_key(model, dataset_id), compact_json.dumps(request).encode(), "application/json"
        )
        self.work.start({"model": model, "dataset_id": dataset_id, "requested_at": request["requested_at"]})
        return request

    def newest(self, model: str, dataset_id: str) -> dict[str, Any]:
        """Return what was found, or that it is not known yet. Raises NotFound if nobody asked."""
        self._require(model, dataset_id)
        try:
            found: dict[str, Any] = json.loads(self.lake.read_bytes(verification_key(model, dataset_id)))
        except NotFound as error:
            raise NotFound(f"nobody has asked to verify {dataset_id!r}") from error
        return found

    def _require(self, model: str, dataset_id: str) -> None:
        self.configurations.current(model)
        self.registry.dataset(model, dataset_id)


def verification_key(model: str, dataset_id: str) -> str:
    """Return where lies what was last found about a dataset."""
    return dataset_prefix(model, dataset_id) + "verification.json"

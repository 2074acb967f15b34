"""The verification of a dataset by a stack, and the wait for its result."""

import time
from typing import Any

from hindsight.datasets.building.verification_requests import FINISHED
from local.client import CallFailed, StackClient

_PAUSE_SECONDS = 0.5


def verify_and_wait(client: StackClient, model: str, dataset_id: str, patience: float) -> dict[str, Any]:
    """Verify a dataset and wait for the result. Raises CallFailed, also after ``patience`` seconds."""
    path = f"models/{model}/datasets/{dataset_id}/verify"
    asked = client.call("POST", path, key="operator")
    deadline = time.monotonic() + patience
    while True:
        found: dict[str, Any] = client.call("GET", path, key="operator")
        if found["status"] == FINISHED and found["requested_at"] == asked["requested_at"]:
            return found
        if time.monotonic() > deadline:
            raise CallFailed(f"verifying {dataset_id} was not finished after {patience:.0f} seconds")
        time.sleep(_PAUSE_SECONDS)

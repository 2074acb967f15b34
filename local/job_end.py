"""Start jobs of a stack, and wait until they are over."""

import time
from collections.abc import Callable
from typing import Any

from local.client import CallFailed, StackClient

_PAUSE_SECONDS = 0.5


def wait_for_job(
    client: StackClient,
    model: str,
    job_id: str,
    patience: float,
    watch: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, Any]:
    """Read a job until it is over; ``watch`` sees each reading. Raises CallFailed, also after ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while True:
        job: dict[str, Any] = client.call("GET", f"models/{model}/jobs/{job_id}", key="operator")
        watch(job)
        if job["status"] != "running":
            return job
        if time.monotonic() > deadline:
            raise CallFailed(f"{job_id} was not over after {patience:.0f} seconds")
        time.sleep(_PAUSE_SECONDS)


def start_and_wait(
    client: StackClient, model: str, method: str, path: str, *, patience: float, body: Any = None
) -> dict[str, Any]:
    """Ask for a job and read it once it is over. Raises CallFailed."""
    asked = client.call(method, f"models/{model}/{path}", key="operator", json=body)
    return wait_for_job(client, model, asked["job_id"], patience)

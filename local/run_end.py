"""The end of a retraining run, waited for."""

import time
from collections.abc import Callable
from typing import Any

from local.client import CallFailed, StackClient

_PATIENCE_SECONDS = 600.0


def wait_for_run(client: StackClient, decision_id: str, is_enough: Callable[[], bool] = lambda: False) -> None:
    """Wait until a run is over, or until ``is_enough``. Raises CallFailed if it does not end."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (status := client.run_status(decision_id)) in {None, "RUNNING"} and not is_enough():
        if time.monotonic() > deadline:
            raise CallFailed(f"the retraining run {decision_id} does not end; it is {status}")
        time.sleep(0.1)


def describe_run(client: StackClient, model: str, decision_id: str) -> str:
    """Describe in a line how a run ended."""
    decisions = client.call("GET", f"models/{model}/decisions?limit=20", key="operator")["decisions"]
    run: dict[str, Any] = next((found for found in decisions if found["decision_id"] == decision_id), {})
    if "outcome" not in run:
        return f"{decision_id} is not finished"
    what = " ".join(filter(None, (run["outcome"], run.get("outcome_version"))))
    return ": ".join(filter(None, (what, run.get("outcome_reason"))))

"""What a run of the retraining state machine is started with."""

from typing import Any

from shared.times import format_time
from shared.triggers.state import OpenRun


def run_input(model: str, run: OpenRun) -> dict[str, Any]:
    """Return what the state machine is started with: the same for the first start and for one made up for."""
    return {
        "model": model,
        "decision_id": run.decision_id,
        "fencing_token": run.fencing_token,
        "as_of": format_time(run.started_at),
        "reason": run.reason,
    }

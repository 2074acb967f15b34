"""What a run of the retraining state machine is started with."""

from typing import Any

from hindsight.core.times import format_time
from hindsight.triggers.considered import described
from hindsight.triggers.signal import Signal
from hindsight.triggers.state import OpenRun


def run_input(model: str, run: OpenRun) -> dict[str, Any]:
    """Return what the state machine is started with: the same for the first start and for one made up for."""
    return {
        "model": model,
        "decision_id": run.decision_id,
        "fencing_token": run.fencing_token,
        "as_of": format_time(run.started_at),
        "reason": run.reason,
        "signals": [_announced(run.serving[kind]) for kind in sorted(run.serving)],
    }


def _announced(signal: Signal) -> dict[str, Any]:
    """Return what the run's announcements tell of a signal: what it was, and where its report lies."""
    links = {name: signal.evidence[name] for name in ("report_key", "page_key") if name in signal.evidence}
    return {"kind": signal.kind.value, "at": format_time(signal.at), "reason": described(signal), **links}

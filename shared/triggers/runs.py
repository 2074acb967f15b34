"""Runs of the retraining state machine, as the triggers see them."""

from enum import StrEnum
from typing import Any, Protocol

from shared.times import format_time
from shared.triggers.state import OpenRun


class Execution(StrEnum):
    """What has become of a run's execution."""

    NEVER_STARTED = "never_started"
    RUNNING = "running"
    OVER = "over"


class StateMachine(Protocol):
    """The retraining state machine; an execution has the name of the decision that started it."""

    def start(self, name: str, run: dict[str, Any]) -> None:
        """Start an execution; one of that name that exists already is left alone, whether it runs or is over."""

    def execution(self, name: str) -> Execution:
        """Return what has become of an execution."""


def run_input(model: str, run: OpenRun) -> dict[str, Any]:
    """Return what the state machine is started with: the same for the first start and for one made up for."""
    return {
        "model": model,
        "decision_id": run.decision_id,
        "fencing_token": run.fencing_token,
        "as_of": format_time(run.started_at),
        "reason": run.reason,
    }

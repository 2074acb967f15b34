"""State machines as the domain sees them: executions by name, and what has become of them."""

from enum import StrEnum
from typing import Any, Protocol


class Execution(StrEnum):
    """The state of an execution."""

    NEVER_STARTED = "never_started"
    RUNNING = "running"
    OVER = "over"


class StateMachine(Protocol):
    """A state machine; an execution has the name of what started it: a decision, an attempt of a relabelling."""

    def start(self, name: str, run: dict[str, Any]) -> None:
        """Start an execution; one of that name that exists already is left alone, whether it runs or is over."""

    def stop(self, name: str, cause: str) -> None:
        """End an execution as it is; one that is over, or never started, is left alone."""

    def execution(self, name: str) -> Execution:
        """Read the state of an execution."""

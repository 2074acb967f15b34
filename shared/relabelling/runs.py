"""Executions of the relabelling state machine."""

from typing import Protocol

from shared.triggers.runs import StateMachine


class RelabelRuns(StateMachine, Protocol):
    """The relabelling state machine; an execution has the name of the attempt it makes."""

    def files_listed(self, name: str) -> int | None:
        """Return how many files an execution has found so far; None if it has not listed any, or is long forgotten."""

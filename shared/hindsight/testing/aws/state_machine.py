"""A state machine that only remembers, judged by the same contract suite as StepFunctions."""

from typing import Any

from hindsight.core.executions import Execution


class InMemoryStateMachine:
    """Executions by name; a test ends them."""

    def __init__(self) -> None:
        self.inputs: dict[str, dict[str, Any]] = {}
        self.over: set[str] = set()

    def start(self, name: str, run: dict[str, Any]) -> None:
        self.inputs.setdefault(name, run)

    def stop(self, name: str, cause: str) -> None:
        if name in self.inputs:
            self.over.add(name)

    def execution(self, name: str) -> Execution:
        if name not in self.inputs:
            return Execution.NEVER_STARTED
        return Execution.OVER if name in self.over else Execution.RUNNING

    def end(self, name: str) -> None:
        self.over.add(name)

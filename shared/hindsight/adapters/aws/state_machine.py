"""A state machine on Step Functions, and steps of it that wait for an answer."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hindsight.core import compact_json
from hindsight.core.executions import Execution

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

STOPPED = "Stopped"
_MAX_CAUSE = 1000


class StepFunctions:
    """Executions named by what started them; see ``hindsight.core.executions.StateMachine``."""

    def __init__(self, state_machine_arn: str, client: "SFNClient") -> None:
        self._arn = state_machine_arn
        self._client = client

    def start(self, name: str, run: dict[str, Any]) -> None:
        """Start an execution unless one of that name exists, or existed within the last 90 days."""
        try:
            self._client.start_execution(stateMachineArn=self._arn, name=name, input=compact_json.dumps(run))
        except self._client.exceptions.ExecutionAlreadyExists:
            return

    def stop(self, name: str, cause: str) -> None:
        """End an execution as it is; one that is over, or never started, is left alone."""
        try:
            self._client.stop_execution(executionArn=self._execution_arn(name), error=STOPPED, cause=cause[:_MAX_CAUSE])
        except self._client.exceptions.ExecutionDoesNotExist:
            return

    def execution(self, name: str) -> Execution:
        """Read the state of an execution."""
        try:
            found = self._client.describe_execution(executionArn=self._execution_arn(name))
        except self._client.exceptions.ExecutionDoesNotExist:
            return Execution.NEVER_STARTED
        return Execution.RUNNING if found["status"] in {"RUNNING", "PENDING_REDRIVE"} else Execution.OVER

    def _execution_arn(self, name: str) -> str:
        return f"{self._arn.replace(':stateMachine:', ':execution:', 1)}:{name}"


class StepFunctionsTasks:
    """Tasks by their tokens; see ``hindsight.rollout.approval.store.WaitingTasks``."""

    def __init__(self, client: "SFNClient") -> None:
        self._client = client

    def answer(self, task_token: str, output: Mapping[str, Any]) -> bool:
        """Let a step go on with an output; False if it no longer waits."""
        gone = self._client.exceptions
        try:
            self._client.send_task_success(taskToken=task_token, output=compact_json.dumps(output))
        except (gone.TaskTimedOut, gone.TaskDoesNotExist, gone.InvalidToken):
            return False
        return True

"""Tasks of Step Functions that wait for an answer."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hindsight.core import compact_json

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


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

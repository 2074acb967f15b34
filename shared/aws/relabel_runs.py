"""The relabelling state machine on Step Functions: its Distributed Maps know how many files there are."""

from typing import TYPE_CHECKING

from shared.aws.state_machine import StepFunctions

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class RelabelStepFunctions(StepFunctions):
    """Executions named by their attempts; see ``shared.relabelling.runs.RelabelRuns``."""

    def __init__(self, state_machine_arn: str, client: "SFNClient") -> None:
        super().__init__(state_machine_arn, client)
        self._runs = client

    def files_listed(self, name: str) -> int | None:
        """Return how many files an execution has found so far; None if it has not listed any, or is long forgotten."""
        try:
            found = self._runs.list_map_runs(executionArn=self._execution_arn(name))["mapRuns"]
        except self._runs.exceptions.ExecutionDoesNotExist:
            return None
        runs = [self._runs.describe_map_run(mapRunArn=run["mapRunArn"]) for run in found]
        return sum(run["itemCounts"]["total"] for run in runs) if runs else None

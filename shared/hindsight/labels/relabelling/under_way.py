"""The detection of a relabelling that is under way."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hindsight.core.executions import Execution, StateMachine
from hindsight.labels.relabelling.job import RelabelJob
from hindsight.labels.relabelling.store import RelabelStore

START_TAKES = timedelta(hours=1)
"""Far above the moment between recording a relabelling and starting it; one that never started changes no label."""


@dataclass(frozen=True, slots=True)
class RelabellingWatch:
    """The watch that keeps a snapshot from mixing labels of the old rules with labels of the new."""

    store: RelabelStore
    runs: StateMachine

    def under_way(self, model: str, now: datetime) -> RelabelJob | None:
        """Find the relabelling whose labels a snapshot as of ``now`` would see in part, None if there is none.

        Not one whose execution is over, though it is not closed: it changes no more labels before an operator
        resumes it, and must not stop all retraining until then.
        """
        job = self.store.open_job(model)
        if job is None or job.known_at > now:
            return None
        execution = self.runs.execution(job.execution)
        is_starting = execution is Execution.NEVER_STARTED and now - job.known_at < START_TAKES
        return job if execution is Execution.RUNNING or is_starting else None

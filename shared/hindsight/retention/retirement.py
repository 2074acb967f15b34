"""The retirement of a model: no checks, triggers or new data; what is kept ends with its retention, or is erased."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from hindsight.config.store import ConfigurationStore, Retirement
from hindsight.core.errors import NotFound
from hindsight.core.executions import StateMachine
from hindsight.core.jobs import Job, JobKind, JobStore, WorkQueue, job_message, name_job
from hindsight.labels.relabelling.store import RelabelStore
from hindsight.triggers.store import TriggerStore
from hindsight.validation.items import parse_item
from hindsight.validation.operator_request import Reason, TimedRequest
from hindsight.validation.timestamps import ClientTimestamps

SCOPE, WHOLE_MODEL = "scope", "model"


class RetirementRequest(TimedRequest):
    """The body of a request; it may be absent."""

    reason: Reason = "retired"


@dataclass(frozen=True, slots=True)
class Retirements:
    """The requests to retire models."""

    configurations: ConfigurationStore
    triggers: TriggerStore
    machine: StateMachine
    relabels: RelabelStore
    relabelling_machine: StateMachine
    jobs: JobStore
    queue: WorkQueue
    trust: ClientTimestamps

    def take(self, model: str, body: object, *, now: datetime, actor: str) -> Retirement:
        """Retire a model and stop its run and its relabelling; of a retired model the first record stays.

        They are stopped last: from then on none can begin. Raises InvalidInput with the path at fault, NotFound for
        an unknown model; sending the request again is safe.
        """
        return self._retire(model, self._asked(body, now, actor))

    def erase(self, model: str, body: object, *, now: datetime, actor: str, request_id: str) -> Job:
        """Retire a model, and start the erasure of all that is kept of it, or find the one that is under way.

        Raises as ``take`` does; sending the request again mends what a crash left undone.
        """
        asked = self._asked(body, now, actor)
        name = name_job(JobKind.ERASURE, now, model, request_id)
        retirement = self._retire(model, replace(asked, job_id=name))
        job = self.jobs.start(
            Job(
                kind=JobKind.ERASURE,
                model=model,
                job_id=retirement.job_id or name,
                at=asked.at,
                started_at=now,
                actor=actor,
                request={SCOPE: WHOLE_MODEL, "reason": asked.reason},
            )
        )
        # Again where it is under way: its message may have been lost with the worker of the first request.
        self.queue.send(job_message(job))
        return job

    def _asked(self, body: object, now: datetime, actor: str) -> Retirement:
        request = parse_item(RetirementRequest, body, "")
        return Retirement(reason=request.reason, actor=actor, at=request.moment(now, self.trust))

    def _retire(self, model: str, asked: Retirement) -> Retirement:
        retirement = self.configurations.retire(model, asked)
        cause = f"the model is retired: {retirement.reason}"
        run = self.triggers.load(model).open_run
        if run is not None:
            self.machine.stop(run.decision_id, cause)
        with suppress(NotFound):  # an erasure under way takes the relabelling before its lock
            self._stop_relabelling(model, cause)
        return retirement

    def _stop_relabelling(self, model: str, cause: str) -> None:
        relabelling = self.relabels.open_job(model)
        if relabelling is not None:
            self.relabels.note_failure(relabelling, cause)
            self.relabelling_machine.stop(relabelling.execution, cause)

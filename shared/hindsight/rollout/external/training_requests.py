"""The requests of runs to another trainer: announced with all that it needs; a run waits for the version."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hindsight.core.announcements import Announcement, Announcements
from hindsight.core.errors import InvalidInput, StaleRun, Unavailable
from hindsight.core.retry import Overtaken, optimistic
from hindsight.core.times import format_time
from hindsight.datasets.dataset import PARTS, parquet_name
from hindsight.lake.object_store import Lake, dataset_prefix
from hindsight.lake.uploads import upload_key
from hindsight.registry.store import Registry
from hindsight.registry.version import DatasetRecord
from hindsight.rollout.approval.store import WaitingTasks
from hindsight.rollout.external.training_request import (
    TrainingRequest,
    TrainingRequestStore,
    answered_by,
    delivered,
    requested_again,
    undelivered,
)
from hindsight.runs.run import RetrainingRun
from hindsight.triggers.state import LEASE
from hindsight.triggers.store import TriggerStore
from hindsight.validation.timestamps import ClientTimestamps

REQUESTED = "RetrainingRequested"
LINKS_LAST = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRequest:
    """The input of the step that waits; ``lasts`` is how long it waits from ``requested_at`` on."""

    run: RetrainingRun
    dataset_id: str
    task_token: str
    requested_at: datetime
    lasts: timedelta

    @classmethod
    def from_event(cls, event: Mapping[str, Any], trust: ClientTimestamps) -> "VersionRequest":
        """Read the request of a step's input, of the moment the step was entered at. Raises InvalidInput."""
        run = RetrainingRun.from_event(event)
        try:
            return cls(
                run=run,
                dataset_id=str(event["dataset_id"]),
                task_token=str(event["task_token"]),
                requested_at=run.moment(event.get("entered_at"), trust),
                lasts=timedelta(seconds=int(event["expires_in_seconds"])),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            # The text of the error could hold the token.
            raise InvalidInput(f"the step's input holds no request: {type(error).__name__}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRequests:
    """The intake of requests from runs."""

    requests: TrainingRequestStore
    triggers: TriggerStore
    registry: Registry
    lake: Lake
    announcements: Announcements

    def take(self, asked: VersionRequest) -> TrainingRequest:
        """Keep a request and announce it; a repeated one replaces the token and is announced again.

        Raises NotFound for an unknown dataset, StaleRun for a run that has lost the model's lock, Unavailable.
        """
        run = asked.run
        dataset = self.registry.dataset(run.model, asked.dataset_id)
        # First of all: a run whose lease lapses while another trains would get a version without effect.
        if not self.triggers.extend_lease(run.model, run.fencing_token, asked.requested_at + LEASE + asked.lasts):
            raise StaleRun(f"the run no longer holds the lock of {run.model!r}")
        request = self._keep(asked)
        if request.is_waiting:
            self.announcements.publish([self._announcement(request, dataset, run)])
        return request

    def _keep(self, asked: VersionRequest) -> TrainingRequest:
        request = TrainingRequest(
            model=asked.run.model,
            dataset_id=asked.dataset_id,
            decision_id=asked.run.decision_id,
            requested_at=asked.requested_at,
            expires_at=asked.requested_at + asked.lasts,
            task_token=asked.task_token,
        )

        def attempt() -> TrainingRequest:
            before = self.requests.load(request.model, request.dataset_id)
            after = request if before is None else requested_again(before, request)
            if after is before or self.requests.save(after):
                return after
            raise Overtaken

        return optimistic(attempt, otherwise=Unavailable(f"the request for {asked.dataset_id} keeps being changed"))

    def _announcement(self, request: TrainingRequest, dataset: DatasetRecord, run: RetrainingRun) -> Announcement:
        model, dataset_id = request.model, request.dataset_id
        prefix, route = dataset_prefix(model, dataset_id), f"/v1/models/{model}"
        # The holdout without its labels: they judge the version.
        links = {
            part: self.lake.link(prefix + parquet_name(part, with_labels=part == "train"), LINKS_LAST) for part in PARTS
        }
        key = upload_key(model, request.requested_at, request.decision_id)
        return Announcement(
            name=REQUESTED,
            correlation_id=request.decision_id,
            at=request.requested_at,
            data={
                "model": model,
                **request.to_json(),
                "reason": run.reason,
                "rows": {part: dataset.counts[part]["rows"] for part in PARTS},
                "parts": {
                    part: {"format": "parquet", "labels": part == "train", "url": url} for part, url in links.items()
                },
                "upload": {"key": key, "url": self.lake.upload_link(key, LINKS_LAST)},
                "links_expire_at": format_time(request.requested_at + LINKS_LAST),
                "routes": {
                    "dataset": f"GET {route}/datasets/{dataset_id}",
                    "upload": f"POST {route}/uploads",
                    "register": f"POST {route}/versions",
                },
            },
        )


@dataclass(frozen=True, slots=True)
class TrainingAnswers:
    """The delivery of versions to the runs that wait for them."""

    requests: TrainingRequestStore
    triggers: TriggerStore
    tasks: WaitingTasks

    def waiting(self, model: str, dataset_id: str) -> str | None:
        """Find the decision whose run waits for a version of a dataset."""
        request, run = self.requests.load(model, dataset_id), self.triggers.load(model).open_run
        if request is None or run is None or not request.is_waiting or request.decision_id != run.decision_id:
            return None
        return request.decision_id

    def deliver(self, model: str, dataset_id: str, version: str, output: Mapping[str, Any]) -> bool:
        """Let the run that waits go on with a version's verdict; False if none waits, or another version was faster.

        The answer is kept before it is sent: after a crash in between, the same call again sends it.
        """

        def attempt() -> TrainingRequest | None:
            before = self.requests.load(model, dataset_id)
            if before is None:
                return None
            after = answered_by(before, version)
            if after is before or self.requests.save(after):
                return after
            raise Overtaken

        request = optimistic(attempt, otherwise=Unavailable(f"the request for {dataset_id} keeps being changed"))
        if request is None or request.version != version:
            return False
        if request.task_token is None:
            return True
        is_taken = self.tasks.answer(request.task_token, output)
        # Lost to the same answer, sent twice at once, which keeps the same.
        self.requests.save(delivered(request) if is_taken else undelivered(request))
        return is_taken

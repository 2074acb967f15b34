"""The reports on a model that operators read."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hindsight.config.model import ModelConfiguration, ServedBy
from hindsight.config.store import ConfigurationStore, shown_retirement
from hindsight.core.errors import NotFound
from hindsight.datasets.members import MemberStore
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.archiving.new_labels import NewLabels
from hindsight.labels.joining.effects import EffectStore
from hindsight.labels.store import LabelStore
from hindsight.lake.object_store import Lake
from hindsight.monitoring.label_health.feedback_effects import effects_of_a_day
from hindsight.monitoring.results.check import CheckKind, CheckStore
from hindsight.registry.pointer import DeploymentRecord
from hindsight.registry.served_features import ServedFeatures, kept_for_serving
from hindsight.registry.store import Registry
from hindsight.reporting.explain import explain_labels
from hindsight.reporting.lineage import uses_of, versions_trained_on
from hindsight.reporting.model_list import ModelState, state_of
from hindsight.reporting.status import LINKS_LAST, Backlog, FirstVersionProgress, LabelQueue, model_status
from hindsight.reporting.versions import shown_version
from hindsight.review.tasks.overview import ReviewOverview
from hindsight.rollout.approval.store import ApprovalStore
from hindsight.rollout.evaluation.store import EvaluationStore
from hindsight.rollout.external.training_request import TrainingRequestStore
from hindsight.triggers.decision import Decision
from hindsight.triggers.signals.first_version import MIN_LABELS
from hindsight.triggers.state import TriggerState
from hindsight.triggers.store import TriggerStore

MAX_OVERDUE = 10_000
MAX_AWAITING = 10_000
MAX_A_SECOND = 100
_SECOND = len("20260301T120000Z")


@dataclass(frozen=True, slots=True)
class ModelReports:
    """The reports on models, from the ports; every method raises NotFound for an unknown model."""

    configurations: ConfigurationStore
    labels: LabelStore
    checks: CheckStore
    triggers: TriggerStore
    registry: Registry
    lake: Lake
    reviews: ReviewOverview
    approvals: ApprovalStore
    training_requests: TrainingRequestStore
    evaluations: EvaluationStore
    members: MemberStore
    new_labels: NewLabels
    effects: EffectStore

    def status(self, model: str, now: datetime) -> dict[str, Any]:
        """Build the state of a model on one page; of one that is erased, or being erased, the record of it."""
        retirement = self.configurations.retirement(model)
        if retirement is not None and retirement.job_id is not None:
            stage = ModelState.RETIRED if retirement.is_being_erased else ModelState.ERASED
            return {"model": model, "state": stage.value, "retired": shown_retirement(retirement)}
        revision = self.configurations.newest(model)
        pointer, state, queue = self.registry.pointer(model), self.triggers.load(model), self._label_queue(model, now)
        is_external = revision.configuration.serving is ServedBy.EXTERNAL
        status = model_status(
            revision,
            pointer,
            state,
            [check for kind in CheckKind if (check := self.checks.latest(model, kind))],
            queue,
            review_queue=self.reviews.queue(revision.configuration, now),
            link=self._link,
            last_evaluation=self.triggers.last_evaluation(model),
            asked=next(iter(self.approvals.newest(model, 1)), None),
            requested=self.training_requests.newest(model),
            evaluations=self.evaluations.evaluations(model),
            first_version=None if pointer else self._first_version(revision.configuration, state, queue, now),
            beside=self.checks.beside(model) if is_external else (),
        )
        declared = {name: feature.type for name, feature in revision.configuration.features.items()}
        served = ServedFeatures(self.registry, self.configurations).of(model, pointer)
        return {
            **status,
            "kept_features": {name: kind.value for name, kind in kept_for_serving(declared, served).items()},
            "state": state_of(pointer, state, retired=retirement is not None).value,
            "retired": None if retirement is None else shown_retirement(retirement),
        }

    def prediction(self, model: str, prediction_id: str) -> dict[str, Any]:
        """Show one prediction, its feedback, labels and review, and its lineage. Raises NotFound."""
        configuration = self.configurations.newest(model).configuration
        key = PredictionKey(model, prediction_id)
        prediction = self.labels.predictions([key]).get(key)
        (collection,) = self.labels.load([key])
        if prediction is None:
            waiting = f"; events that wait for it: {len(collection.feedback)}" if collection.feedback else ""
            raise NotFound(f"the model {model!r} has no prediction {prediction_id!r}{waiting}")
        uses = uses_of(prediction, self.registry, self.members)
        names = [use.dataset_id for use in uses.found]
        return {
            **explain_labels(prediction, collection, configuration),
            "review": self.reviews.task(key),
            "datasets": [{"dataset_id": use.dataset_id, "part": use.part, "seq": use.seq} for use in uses.found],
            "all_datasets_searched": uses.is_complete,
            "versions": versions_trained_on(names, model, self.registry),
        }

    def decisions(self, model: str, limit: int, before: tuple[datetime, str] | None = None) -> list[Decision]:
        """List trigger decisions, newest first, older than the one of a moment and an id."""
        return self.triggers.decisions(self._known(model), limit, before)

    def decision(self, model: str, decision_id: str) -> Decision:
        """Find one trigger decision, recorded or the newest evaluation's. Raises NotFound.

        An id begins with the second of its decision, among whose decisions it is.
        """
        newest = self.last_evaluation(model)
        if newest is not None and newest.decision_id == decision_id:
            return newest
        try:
            second = datetime.strptime(decision_id[:_SECOND], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            second = None
        behind = None if second is None else (second + timedelta(seconds=1), "")
        for found in self.triggers.decisions(model, MAX_A_SECOND, behind) if behind else []:
            if found.decision_id == decision_id:
                return found
        raise NotFound(f"the model {model!r} has no decision {decision_id!r}")

    def last_evaluation(self, model: str) -> Decision | None:
        """Find the decision of the newest scheduled evaluation of the triggers; None before the first."""
        return self.triggers.last_evaluation(self._known(model))

    def version(self, model: str, version: str) -> dict[str, Any]:
        """Show one version as operators see it. Raises NotFound."""
        record = self.registry.version(self._known(model), version)
        return shown_version(record, self._link, self.approvals.load(model, version))

    def versions(self, model: str, limit: int, before: str | None = None) -> list[dict[str, Any]]:
        """List versions as operators see them, newest first, older than the one named ``before``."""
        found = self.registry.versions(self._known(model), limit, before)
        # An approval is of one version and sorts as it does, so that those of the page are among as many.
        asked = {approval.version: approval for approval in self.approvals.newest(model, limit, before)}
        return [shown_version(record, self._link, asked.get(record.version)) for record in found]

    def deployments(self, model: str, limit: int, before: int | None = None) -> list[DeploymentRecord]:
        """List the deployments, newest first, of sequences below ``before``."""
        return self.registry.deployments(self._known(model), limit, before)

    def _known(self, model: str) -> str:
        return self.configurations.newest(model).configuration.model

    def _first_version(
        self, configuration: ModelConfiguration, state: TriggerState, queue: LabelQueue, now: datetime
    ) -> FirstVersionProgress:
        model, window = configuration.model, configuration.training.window
        later = self.new_labels.upcoming(model, now)
        return FirstVersionProgress(
            labels_due=self.new_labels.count(model, since=state.last_snapshot_as_of, as_of=now, window=window),
            labels_needed=max(configuration.triggers.min_new_labels, MIN_LABELS),
            labels_not_due=later.labels,
            next_due_at=min(filter(None, (later.next_due_at, queue.open.next_due_at)), default=None),
        )

    def _link(self, key: str) -> str:
        return self.lake.link(key, LINKS_LAST)

    def _label_queue(self, model: str, now: datetime) -> LabelQueue:
        return LabelQueue(
            backlog=self._backlog(model, now),
            open=self.labels.open_labels(model, now, MAX_AWAITING),
            feedback=effects_of_a_day(self.effects, model, now),
        )

    def _backlog(self, model: str, now: datetime) -> Backlog:
        overdue = 0
        for page in self.labels.due(model, now):
            overdue += len(page)
            if overdue >= MAX_OVERDUE:
                return Backlog(overdue=MAX_OVERDUE, capped=True)
        return Backlog(overdue=overdue, capped=False)

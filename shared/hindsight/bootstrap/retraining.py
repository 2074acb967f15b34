"""The composition of retraining, deployment, rollout evaluation and rollback."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from hindsight.adapters.aws.state_machine import StepFunctionsTasks
from hindsight.bootstrap import clients, stores
from hindsight.bootstrap.settings import VersionRetention
from hindsight.labels.archiving.new_labels import NewLabels
from hindsight.labels.relabelling.under_way import RelabellingWatch
from hindsight.lake.object_store import Lake
from hindsight.registry.version import VersionRecord
from hindsight.retention.version_expiry import VersionExpiry
from hindsight.rollout.approval.answers import ApprovalAnswers
from hindsight.rollout.approval.override import Overrides
from hindsight.rollout.approval.promotion import Promotions
from hindsight.rollout.approval.requests import ApprovalRequests
from hindsight.rollout.external.training_requests import TrainingAnswers, TrainingRequests
from hindsight.rollout.rollback import Rollbacks
from hindsight.serving.line_up import LoadedT, Serving
from hindsight.triggers.evaluation.evaluator import TriggerEvaluator
from hindsight.triggers.evaluation.request import RetrainingRequests
from hindsight.triggers.evaluation.sweep import TriggerSweep
from hindsight.triggers.runs.recovery import RunRecovery

if TYPE_CHECKING:
    from hindsight.adapters.fresh_process import FreshProcess
    from hindsight.rollout.evaluation.rollout_evaluation import RolloutEvaluation
    from hindsight.rollout.external.registration import Registrations


@cache
def approval_answers() -> ApprovalAnswers:
    """Build the service that takes people's answers to runs that wait."""
    return ApprovalAnswers(stores.approvals(), stores.registry(), StepFunctionsTasks(clients.client("stepfunctions")))


@cache
def approval_requests() -> ApprovalRequests:
    """Build the service that takes the requests of runs that wait for a person."""
    return ApprovalRequests(stores.approvals(), stores.trigger_store(), stores.registry(), stores.announcements())


@cache
def version_expiry() -> VersionExpiry:
    """Build the expiry of versions and datasets."""
    return VersionExpiry(
        stores.registry(), stores.lake(), clients.settings(VersionRetention).keep, stores.member_store()
    )


@cache
def fresh_process() -> "FreshProcess":
    """Build the separate process that tries a saved artefact; only validation pays for importing it."""
    from hindsight.adapters.fresh_process import FreshProcess  # noqa: PLC0415  needs numpy

    return FreshProcess(clients.environment())


@cache
def overrides() -> Overrides:
    """Build the intake of gate overrides."""
    return Overrides(stores.registry(), stores.announcements(), require_loadable)


@cache
def promotions() -> Promotions:
    """Build the service that promotes versions for a person."""
    return Promotions(
        registry=stores.registry(),
        configurations=stores.configurations(),
        approvals=stores.approvals(),
        announcements=stores.announcements(),
        trust=stores.client_timestamps(),
        require_loadable=require_loadable,
    )


def require_loadable(record: VersionRecord) -> None:
    """Raise UnusableArtifact for a version that cannot be served here; another server's is its own to load."""
    from hindsight.training.models.artifact import load_artifact  # noqa: PLC0415  needs numpy

    if record.is_external:
        return
    load_artifact(stores.lake(), record.artifact_key, record.artifact_digest)


@cache
def retraining_requests() -> RetrainingRequests:
    """Build the receiver of requests to retrain."""
    return RetrainingRequests(trigger_evaluator(), stores.client_timestamps())


@cache
def rollbacks() -> Rollbacks:
    """Build the rollbacks of champions."""
    return Rollbacks(
        registry=stores.registry(),
        configurations=stores.configurations(),
        triggers=stores.trigger_store(),
        announcements=stores.announcements(),
        trust=stores.client_timestamps(),
        require_loadable=require_loadable,
    )


@cache
def registrations() -> "Registrations":
    """Build the register of versions that were made elsewhere; only what judges them pays for importing it."""
    from hindsight.rollout.external.judgement import Judgement  # noqa: PLC0415  needs numpy
    from hindsight.rollout.external.registration import Registrations  # noqa: PLC0415
    from hindsight.rollout.external.stored_baseline import StoredBaselines  # noqa: PLC0415

    registry, configurations, lake = stores.registry(), stores.configurations(), stores.lake()
    tasks = StepFunctionsTasks(clients.client("stepfunctions"))
    return Registrations(
        registry=registry,
        configurations=configurations,
        judgement=Judgement(registry, configurations, lake),
        baselines=StoredBaselines(lake),
        answers=TrainingAnswers(stores.training_requests(), stores.trigger_store(), tasks),
        trust=stores.client_timestamps(),
    )


@cache
def training_requests() -> TrainingRequests:
    """Build the intake of runs' requests for versions that are made elsewhere."""
    return TrainingRequests(
        requests=stores.training_requests(),
        triggers=stores.trigger_store(),
        registry=stores.registry(),
        lake=stores.lake(),
        announcements=stores.announcements(),
    )


@cache
def run_recovery() -> RunRecovery:
    """Build the recovery of runs whose execution failed."""
    return RunRecovery(stores.trigger_store(), stores.registry(), stores.announcements())


@cache
def serving(load: Callable[[Lake, str, str], LoadedT]) -> Serving[LoadedT]:
    """Build the serving of champions; ``load`` comes from the caller, since it needs the scientific layer."""
    return Serving(
        stores.recent_pointers(), lambda named: load(stores.lake(), named.artifact_key, named.artifact_digest)
    )


@cache
def trigger_evaluator() -> TriggerEvaluator:
    """Build the evaluator of one model's triggers."""
    return TriggerEvaluator(
        store=stores.trigger_store(),
        checks=stores.check_store(),
        configurations=stores.configurations(),
        registry=stores.registry(),
        new_labels=NewLabels(stores.new_label_store()),
        machine=stores.state_machine(),
        relabelling=RelabellingWatch(stores.relabel_store(), stores.relabelling_state_machine()),
        clock=clients.utc_now,
    )


@cache
def trigger_sweep() -> TriggerSweep:
    """Build the sweep of trigger evaluations."""
    return TriggerSweep(trigger_evaluator(), stores.client_timestamps())


@cache
def rollout_evaluation() -> "RolloutEvaluation":
    """Build the evaluation of rollouts and probations."""
    from hindsight.rollout.evaluation.evaluator import RolloutEvaluator  # noqa: PLC0415  needs numpy
    from hindsight.rollout.evaluation.events import RolloutEvents  # noqa: PLC0415
    from hindsight.rollout.evaluation.rollout_evaluation import RolloutEvaluation  # noqa: PLC0415
    from hindsight.rollout.external.external_versions import ExternalVersions  # noqa: PLC0415
    from hindsight.rollout.external.stored_baseline import StoredBaselines  # noqa: PLC0415

    registry, store = stores.registry(), stores.evaluation_store()
    evaluator = RolloutEvaluator(
        registry=registry,
        lake=stores.lake(),
        tests=stores.sequential_tests(),
        evaluations=store,
        announcements=stores.announcements(),
        require_loadable=require_loadable,
    )
    events = RolloutEvents(
        registry=registry, triggers=stores.trigger_store(), announcements=stores.announcements(), store=store
    )
    return RolloutEvaluation(
        configurations=stores.configurations(),
        registry=registry,
        external=ExternalVersions(registry=registry, lake=stores.lake(), baselines=StoredBaselines(stores.lake())),
        evaluator=evaluator,
        events=events,
    )

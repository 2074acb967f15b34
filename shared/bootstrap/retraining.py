"""What decides on retraining, and what carries a version into service, watches it and takes it back, put together."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from shared.approvals.answers import ApprovalAnswers
from shared.approvals.override import Overrides
from shared.approvals.requests import ApprovalRequests
from shared.aws.background import LambdaBackground
from shared.aws.waiting_tasks import StepFunctionsTasks
from shared.bootstrap import clients, stores
from shared.datasets.verification_requests import VerificationRequests
from shared.labels.new_labels import NewLabels
from shared.lake import Lake
from shared.recent_reads import RecentReads
from shared.registry.expiring import Expiring
from shared.registry.recovery import RunRecovery
from shared.registry.rollback import Rollbacks
from shared.registry.serving import LoadedT, Serving
from shared.registry.version import VersionRecord
from shared.relabelling.under_way import RelabellingWatch
from shared.triggers.checker import TriggerChecker
from shared.triggers.request import RetrainingRequests
from shared.triggers.sweep import TriggerSweep

if TYPE_CHECKING:
    from shared.fresh_process import FreshProcess
    from shared.watching.watch import Watch


@cache
def approval_answers() -> ApprovalAnswers:
    """Return what takes people's answers to runs that wait."""
    return ApprovalAnswers(stores.approvals(), stores.registry(), StepFunctionsTasks(clients.client("stepfunctions")))


@cache
def approval_requests() -> ApprovalRequests:
    """Return what takes the requests of runs that wait for a person."""
    return ApprovalRequests(stores.approvals(), stores.trigger_store(), stores.registry(), stores.announcements())


@cache
def expiring() -> Expiring:
    """Return what lets go of old versions and datasets."""
    return Expiring(stores.registry(), stores.lake(), clients.settings().keep, stores.member_store())


@cache
def fresh_process() -> "FreshProcess":
    """Return what tries a saved artefact in a process of its own; only what validates pays for importing it."""
    from shared.fresh_process import FreshProcess  # noqa: PLC0415  needs numpy

    return FreshProcess(clients.settings().environment)


@cache
def overrides() -> Overrides:
    """Return what takes overrides of the gate."""
    return Overrides(stores.registry(), stores.announcements(), require_loadable)


def require_loadable(record: VersionRecord) -> None:
    """Raise UnusableArtifact for a version that cannot be served; asked only where the scientific layer is."""
    from shared.training.artifact import load_artifact  # noqa: PLC0415  needs numpy

    load_artifact(stores.lake(), record.artifact_key, record.artifact_digest)


@cache
def retraining_requests() -> RetrainingRequests:
    """Return what takes persons' requests to retrain."""
    return RetrainingRequests(trigger_checker(), clients.settings().client_timestamps)


@cache
def rollbacks() -> Rollbacks:
    """Return what takes champions back."""
    return Rollbacks(
        registry=stores.registry(),
        configurations=stores.configurations(),
        back_off=stores.trigger_store(),
        announcements=stores.announcements(),
        trust=clients.settings().client_timestamps,
        require_loadable=require_loadable,
    )


@cache
def run_recovery() -> RunRecovery:
    """Return what ends runs whose execution could not."""
    return RunRecovery(stores.trigger_store(), stores.registry(), stores.announcements())


@cache
def serving(load: Callable[[Lake, str, str], LoadedT]) -> Serving[LoadedT]:
    """Return what serves; ``load`` comes from the caller, since it needs the scientific layer."""
    pointers = RecentReads(stores.registry().pointer, time.time)
    return Serving(pointers, lambda named: load(stores.lake(), named.artifact_key, named.artifact_digest))


@cache
def trigger_checker() -> TriggerChecker:
    """Return what decides on one model's retraining."""
    return TriggerChecker(
        store=stores.trigger_store(),
        checks=stores.check_store(),
        configurations=stores.configurations(),
        registry=stores.registry(),
        new_labels=NewLabels(stores.new_label_store()),
        machine=stores.state_machine(),
        relabelling=RelabellingWatch(stores.relabel_store(), stores.relabelling_state_machine()),
        clock=lambda: datetime.now(UTC),
    )


@cache
def trigger_sweep() -> TriggerSweep:
    """Return what checks the triggers of many models."""
    return TriggerSweep(trigger_checker(), clients.settings().client_timestamps)


@cache
def verification_requests() -> VerificationRequests:
    """Return what takes requests to verify datasets."""
    work = LambdaBackground(clients.settings().verify_function, clients.client("lambda"))
    return VerificationRequests(stores.lake(), stores.registry(), stores.configurations(), work)


@cache
def watch() -> "Watch":
    """Return what watches trials and probations."""
    from shared.watching.consequences import Consequences  # noqa: PLC0415
    from shared.watching.model_watch import ModelWatch  # noqa: PLC0415  needs numpy
    from shared.watching.watch import Watch  # noqa: PLC0415

    progress, triggers = stores.watch_progress(), stores.trigger_store()
    of_model = ModelWatch(
        registry=stores.registry(),
        lake=stores.lake(),
        tests=stores.sequential_tests(),
        progress=progress,
        announcements=stores.announcements(),
        require_loadable=require_loadable,
    )
    consequences = Consequences(
        registry=stores.registry(), triggers=triggers, announcements=stores.announcements(), progress=progress
    )
    return Watch(
        configurations=stores.configurations(), registry=stores.registry(), of_model=of_model, consequences=consequences
    )

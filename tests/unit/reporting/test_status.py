from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hindsight.core.errors import NotFound
from hindsight.labels.archiving.new_labels import NewLabels
from hindsight.labels.store import OpenLabels
from hindsight.monitoring.results.check import Check, CheckKind, Verdict
from hindsight.registry.moves import AuditInfo, Servable, start_rollout
from hindsight.registry.pointer import Pointer, RolloutMode
from hindsight.reporting.model_reports import ModelReports
from hindsight.reporting.status import Backlog, LabelQueue, model_status
from hindsight.review.tasks.overview import ReviewOverview
from hindsight.review.tasks.transitions import leased
from hindsight.rollout.approval.approval import Answer, Approval
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.builders.pointers import promoted
from hindsight.testing.builders.versions import version_record
from hindsight.testing.models.approvals import InMemoryApprovals, InMemoryTrainingRequests
from hindsight.testing.models.check_store import InMemoryChecks
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.models.members import InMemoryMembers
from hindsight.testing.models.registry import InMemoryRegistry
from hindsight.testing.models.rollout_evaluations import InMemoryEvaluationStore
from hindsight.testing.models.trigger_store import InMemoryTriggers
from hindsight.testing.predictions.effects import InMemoryEffects
from hindsight.testing.predictions.label_store import InMemoryLabels
from hindsight.testing.predictions.new_labels import InMemoryNewLabels
from hindsight.testing.predictions.review_tasks import InMemoryReviews
from hindsight.triggers.signals.check import DriftSignal
from hindsight.triggers.signals.volume import VolumeSignal
from hindsight.triggers.state import OpenRun, RunOutcome, TriggerState
from hindsight.validation.timestamps import ClientTimestamps
from tests.unit.labels.builders import (
    ANNOTATION,
    MODEL,
    NOON,
    RETENTION,
    configuration,
    key,
    prediction,
    revision,
)
from tests.unit.review.builders import sample

NONE_OVERDUE = LabelQueue(
    backlog=Backlog(overdue=0, capped=False), open=OpenLabels(predictions=0, next_due_at=None, capped=False)
)
NO_REVIEWS: dict[str, Any] = {}
RECORD = version_record("v1", NOON, code_version="c", decision_id="decision-1", metrics={"accuracy": 0.9})


@pytest.fixture
def labels() -> InMemoryLabels:
    return InMemoryLabels()


@pytest.fixture
def tasks(labels: InMemoryLabels) -> InMemoryReviews:
    return InMemoryReviews(labels)


@pytest.fixture
def effects() -> InMemoryEffects:
    return InMemoryEffects()


@pytest.fixture
def reports(labels: InMemoryLabels, tasks: InMemoryReviews, effects: InMemoryEffects) -> ModelReports:
    return ModelReports(
        configurations=InMemoryConfigurations(configuration()),
        labels=labels,
        checks=InMemoryChecks(),
        triggers=InMemoryTriggers(),
        registry=InMemoryRegistry(),
        lake=InMemoryLake(),
        reviews=ReviewOverview(tasks, ClientTimestamps.BOUNDED),
        approvals=InMemoryApprovals(),
        training_requests=InMemoryTrainingRequests(),
        evaluations=InMemoryEvaluationStore(),
        members=InMemoryMembers(),
        new_labels=NewLabels(InMemoryNewLabels()),
        effects=effects,
    )


def test_a_model_that_never_ran_has_nothing_to_show_but_itself() -> None:
    status = model_status(
        revision(), None, TriggerState(model=MODEL), [], NONE_OVERDUE, review_queue=NO_REVIEWS, link=str.upper
    )
    shown = {name for name, value in status.items() if value}
    assert shown == {"model", "revision", "task", "join_health"}


def test_rollout_and_probation_of_the_champion_are_shown() -> None:
    on_probation = promoted("v2", NOON, promoted("v1", NOON).pointer).pointer
    challenger = Servable(version="v3", artifact_key="k3", artifact_digest="d3")
    audit = AuditInfo(reason="drift", actor="pipeline", at=NOON)
    pointer = start_rollout(on_probation, challenger, RolloutMode.CANARY, 0.1, audit).pointer
    status = model_status(
        revision(), pointer, TriggerState(model=MODEL), [], NONE_OVERDUE, review_queue=NO_REVIEWS, link=str
    )

    assert (status["champion"], status["challenger"], status["previous"]) == ("v2", "v3", "v1")
    assert (status["rollout"]["mode"], status["rollout"]["share"]) == ("canary", 0.1)
    assert status["probation"]["against"] == "v1"


def test_open_run_pending_signals_and_champion_are_shown() -> None:
    run = OpenRun(
        decision_id="decision-2",
        fencing_token=2,
        started_at=NOON,
        lease_expires_at=NOON + timedelta(days=1),
        reason="drift",
    )
    signals = [VolumeSignal.status("700 new labels", since=NOON), DriftSignal.status("it drifts", since=NOON)]
    state = TriggerState(
        model=MODEL,
        open_run=run,
        pending_signals={signal.kind: signal for signal in signals},
        last_outcome=RunOutcome.REJECTED,
        last_run_finished_at=NOON,
    )
    pointer = promoted("v2", NOON, promoted("v1", NOON).pointer).pointer

    status = model_status(revision(), pointer, state, [], NONE_OVERDUE, review_queue=NO_REVIEWS, link=str.upper)

    assert status["open_run"] == {
        "decision_id": "decision-2",
        "reason": "drift",
        "started_at": "2026-03-01T12:00:00.000000Z",
        "lease_expires_at": "2026-03-02T12:00:00.000000Z",
    }
    assert status["pending_signals"] == ["drift", "volume"]
    assert (status["champion"], status["previous"], status["last_outcome"]) == ("v2", "v1", "rejected")
    assert status["serving_since"] == status["last_run_finished_at"] == "2026-03-01T12:00:00.000000Z"


def test_newest_evaluation_is_shown_of_the_present_rollout_and_probation() -> None:
    audit = AuditInfo(reason="better", actor="pipeline", at=NOON)
    third = Servable(version="v3", artifact_key="k", artifact_digest="d")
    pointer = promoted("v2", NOON, promoted("v1", NOON).pointer).pointer
    tried = start_rollout(pointer, third, RolloutMode.SHADOW, None, audit).pointer
    newest = {"rollout": {"version": "v3", "labels": 12}, "probation": {"version": "v2", "labels": 40}}

    def shown(pointer: Pointer | None) -> dict[str, Any]:
        status = model_status(
            revision(),
            pointer,
            TriggerState(model=MODEL),
            [],
            NONE_OVERDUE,
            review_queue=NO_REVIEWS,
            link=str.upper,
            evaluations=newest,
        )
        return {name: (status[name] or {}).get("evaluation") for name in newest}

    assert shown(tried) == newest
    assert shown(pointer) == newest | {"rollout": None}
    assert shown(promoted("v9", NOON, pointer).pointer) == shown(None) == {"rollout": None, "probation": None}


def test_each_kind_of_check_is_shown_under_its_name() -> None:
    checks = [
        Check(model=MODEL, kind=kind, at=NOON, model_version="v1", verdict=Verdict.OK, reason="")
        for kind in (CheckKind.DRIFT, CheckKind.PERFORMANCE)
    ]
    status = model_status(
        revision(), None, TriggerState(model=MODEL), checks, NONE_OVERDUE, review_queue=NO_REVIEWS, link=str.upper
    )
    assert set(status["checks"]) == {"drift", "performance"}


def test_a_check_that_has_a_page_says_where_it_is_read() -> None:
    check = Check(
        model=MODEL,
        kind=CheckKind.DRIFT,
        at=NOON,
        verdict=Verdict.OK,
        reason="",
        report_key="checks/drift.json",
        page_key="checks/drift.html",
    )
    status = model_status(
        revision(), None, TriggerState(model=MODEL), [check], NONE_OVERDUE, review_queue=NO_REVIEWS, link=str.upper
    )
    shown = status["checks"]["drift"]
    assert (shown["report_url"], shown["page_url"]) == ("CHECKS/DRIFT.JSON", "CHECKS/DRIFT.HTML")
    assert not {"report_key", "page_key"} & shown.keys()


def test_review_queue_is_counted_and_the_result_of_a_review_is_shown(
    reports: ModelReports, labels: InMemoryLabels, tasks: InMemoryReviews
) -> None:
    for name in ("p-1", "p-2", "p-3"):
        labels.save(prediction(name), RETENTION)
        tasks.add([sample(name)], configuration())
    held = leased(tasks.load([key("p-1")])[key("p-1")], "ann", NOON, timedelta(hours=1))
    assert held is not None
    tasks.save([held])

    queue = reports.status(MODEL, NOON)["review_queue"]

    assert queue == {"open": 3, "free": 2, "leased": 1, "adjudication": 0, "capped": False, "agreement": None}
    assert reports.status(MODEL, NOON + timedelta(days=14))["review_queue"]["open"] == 0
    shown = reports.prediction(MODEL, "p-1")["review"]
    assert (shown["reason"], shown["selection_probability"], shown["state"]) == ("audit", 0.25, "open")
    assert (shown["answers"], shown["resolved"]) == ([], None)


def test_a_prediction_that_was_never_sampled_has_no_review(reports: ModelReports, labels: InMemoryLabels) -> None:
    labels.save(prediction("p-1"), RETENTION)
    assert reports.prediction(MODEL, "p-1")["review"] is None


def test_numbers_have_no_kappa() -> None:
    store = InMemoryReviews(InMemoryLabels())
    numbers = configuration(ANNOTATION, task="regression")
    found = ReviewOverview(store, ClientTimestamps.BOUNDED).queue(numbers, NOON)
    assert found["agreement"] is None


def test_a_model_that_does_not_exist_has_no_reports(reports: ModelReports) -> None:
    for ask in (
        lambda: reports.status("unknown", datetime.now(UTC)),
        lambda: reports.prediction("unknown", "p"),
        lambda: reports.decisions("unknown", 1),
        lambda: reports.versions("unknown", 1),
        lambda: reports.deployments("unknown", 1),
        lambda: reports.prediction(MODEL, "unknown"),
    ):
        with pytest.raises(NotFound):
            ask()


ASKED = Approval(
    model=MODEL,
    version="v1",
    decision_id="decision-2",
    requested_at=NOON,
    expires_at=NOON + timedelta(days=3),
    task_token="token",
)


def test_pending_approval_is_shown_until_it_is_answered_or_its_run_is_over() -> None:
    run = OpenRun(
        decision_id="decision-2",
        fencing_token=2,
        started_at=NOON,
        lease_expires_at=NOON + timedelta(days=4),
        reason="drift",
    )
    waiting = TriggerState(model=MODEL, open_run=run)

    def shown(state: TriggerState, asked: Approval) -> Any:
        shared: Any = {"review_queue": NO_REVIEWS, "link": str.upper, "asked": asked}
        return model_status(revision(), None, state, [], NONE_OVERDUE, **shared)["waiting_for_approval"]

    assert shown(waiting, ASKED) == {
        "version": "v1",
        "decision_id": "decision-2",
        "requested_at": "2026-03-01T12:00:00.000000Z",
        "expires_at": "2026-03-04T12:00:00.000000Z",
    }
    answer = Answer(approved=True, actor="key:operator", reason="", at=NOON)
    assert shown(waiting, replace(ASKED, answer=answer)) is None
    assert shown(TriggerState(model=MODEL), ASKED) is None
    assert shown(waiting.replace(open_run=run.replace(decision_id="decision-3")), ASKED) is None

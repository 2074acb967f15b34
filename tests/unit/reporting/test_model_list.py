from datetime import UTC, datetime

import pytest

from hindsight.config.store import Retirement
from hindsight.evaluation.sequential.subject import EvaluationSubject
from hindsight.monitoring.results.check import Check, CheckKind, Verdict
from hindsight.registry.moves import AuditInfo, Servable, start_rollout
from hindsight.registry.pointer import Probation, Rollout, RolloutMode
from hindsight.reporting.model_list import ModelList, ModelState, state_of
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.builders.pointers import promoted
from hindsight.testing.models.approvals import InMemoryApprovals
from hindsight.testing.models.check_store import InMemoryChecks
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.models.registry import InMemoryRegistry
from hindsight.testing.models.rollout_evaluations import InMemoryEvaluationStore
from hindsight.testing.models.trigger_store import InMemoryTriggers
from hindsight.triggers.state import OpenRun, TriggerState

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
POINTER = promoted("v1", NOON).pointer
IDLE = TriggerState(model="bikes")


class World:
    def __init__(self) -> None:
        named = [configuration().model_copy(update={"model": name}) for name in ("bikes", "cars", "trains")]
        self.configurations = InMemoryConfigurations(*named)
        self.checks, self.registry = InMemoryChecks(), InMemoryRegistry()
        self.evaluations = InMemoryEvaluationStore()
        self.list = ModelList(
            self.configurations,
            self.registry,
            InMemoryTriggers(),
            self.checks,
            InMemoryApprovals(),
            self.evaluations,
        )


@pytest.fixture
def world() -> World:
    return World()


def test_names_come_in_pages(world: World) -> None:
    assert world.list.names(10) == ["bikes", "cars", "trains"]
    assert world.list.names(1) == ["bikes"]
    assert world.list.names(10, after="bikes") == ["cars", "trains"]


def test_retired_model_is_listed_as_one_and_asks_for_no_attention(world: World) -> None:
    world.checks.put(Check(model="bikes", kind=CheckKind.DRIFT, at=NOON, verdict=Verdict.DRIFT, reason="seen"))
    assert world.list.entry("bikes")["attention"] == ["drift"]
    world.configurations.retire("bikes", Retirement(reason="replaced", actor="key:operator", at=NOON))

    entry = world.list.entry("bikes")

    assert (entry["state"], entry["attention"], entry["revision"]) == ("retired", [], 1)
    assert world.list.names(1) == ["bikes"]


def test_new_model_has_no_version_and_nothing_asks_for_attention(world: World) -> None:
    assert world.list.entry("bikes") == {
        "model": "bikes",
        "task": "binary",
        "revision": 1,
        "serving": "hindsight",
        "champion": None,
        "state": "no_version",
        "attention": [],
    }


@pytest.mark.parametrize(
    ("kind", "verdict", "codes"),
    [
        (CheckKind.DRIFT, Verdict.DRIFT, ["drift"]),
        (CheckKind.PERFORMANCE, Verdict.LOW, ["low_performance"]),
        (CheckKind.ESTIMATE, Verdict.LOW, ["low_estimated_performance"]),
        (CheckKind.JOIN_HEALTH, Verdict.LOW, ["outcomes_out_of_window"]),
        (CheckKind.FEEDBACK, Verdict.LOW, ["feedback_without_effect"]),
        (CheckKind.DRIFT, Verdict.OK, []),
        (CheckKind.PERFORMANCE, Verdict.INSUFFICIENT, []),
    ],
)
def test_finding_of_a_check_asks_for_attention(
    world: World, kind: CheckKind, verdict: Verdict, codes: list[str]
) -> None:
    world.checks.put(Check(model="bikes", kind=kind, at=NOON, verdict=verdict, reason="seen"))

    assert world.list.entry("bikes")["attention"] == codes
    assert world.list.entry("cars")["attention"] == []


def test_champion_is_listed(world: World) -> None:
    world.registry.move_pointer("bikes", promoted("v1", NOON))

    entry = world.list.entry("bikes")

    assert (entry["champion"], entry["state"]) == ("v1", "serving")


def test_state_is_the_one_in_which_most_is_about_to_change() -> None:
    run = OpenRun(decision_id="d", fencing_token=1, started_at=NOON, lease_expires_at=NOON, reason="asked")
    rollout = Rollout(version="v2", mode=RolloutMode.SHADOW, artifact_key="k", artifact_digest="d", since=NOON)
    probation = Probation(against="v0", since=NOON)

    assert state_of(None, IDLE) is ModelState.NO_VERSION
    assert state_of(POINTER, IDLE) is ModelState.SERVING
    assert state_of(POINTER.replace(probation=probation), IDLE) is ModelState.PROBATION
    assert state_of(POINTER.replace(probation=probation, rollout=rollout), IDLE) is ModelState.ROLLOUT
    assert state_of(POINTER.replace(rollout=rollout), IDLE.replace(open_run=run)) is ModelState.RETRAINING


def test_canary_that_answers_another_share_asks_for_attention_while_it_lasts(world: World) -> None:
    audit = AuditInfo(reason="better", actor="key:operator", at=NOON)
    challenger = Servable(version="v2", artifact_key="", artifact_digest="")
    world.registry.move_pointer("bikes", promoted("v1", NOON))
    for version, attention in (("v0", []), ("v2", ["sample_ratio_mismatch"])):
        found = {"at": "2026-03-02T00:00:00Z", "version": version, "verdict": "sample_ratio_mismatch"}
        world.evaluations.record_evaluation("bikes", EvaluationSubject.ROLLOUT, found)
        pointer = world.registry.pointer("bikes")
        assert pointer is not None
        if pointer.rollout is None:
            step = start_rollout(pointer, challenger, RolloutMode.CANARY, 0.1, audit)
            world.registry.move_pointer("bikes", step)
        assert world.list.entry("bikes")["attention"] == attention

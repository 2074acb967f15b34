from datetime import UTC, datetime

import pytest

from hindsight.config.training import Deployment, Strategy
from hindsight.core.errors import Conflict, InvalidInput, NotFound, StaleRun
from hindsight.registry.moves import AuditInfo, Servable, pass_probation, roll_back
from hindsight.registry.pointer import DeploymentRecord
from hindsight.registry.version import Verdict
from hindsight.rollout.deployment import VersionApproval, deploy, strategy_of
from hindsight.runs.run import RetrainingRun
from hindsight.testing.builders.pointers import promoted
from hindsight.testing.builders.versions import version_record
from hindsight.testing.models.registry import InMemoryRegistry
from hindsight.triggers.runs.result import plain_reason, result_of
from hindsight.triggers.state import RunOutcome

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
RUN = RetrainingRun(model="m", decision_id="decision-1", fencing_token=1, as_of=AS_OF, reason="drift")
RECORD = version_record(
    RUN.version_of("gradient_boosting"),
    AS_OF,
    candidate="gradient_boosting",
    decision_id="decision-1",
    artifact_key="k",
    artifact_digest="d",
)


@pytest.fixture
def registry() -> InMemoryRegistry:
    registry = InMemoryRegistry()
    registry.lock_holders["m"] = 1
    registry.put_version("m", RECORD)
    return registry


def put_in_service(
    registry: InMemoryRegistry, run: RetrainingRun = RUN, version: str = RECORD.version, strategy: str = "direct"
) -> DeploymentRecord:
    return deploy(registry, run, version, Deployment(strategy=Strategy(strategy)), lambda _: None)


def test_a_deployment_moves_the_pointer_and_says_why(registry: InMemoryRegistry) -> None:
    move = put_in_service(registry)
    assert (move.sequence, move.from_version, move.reason, move.decision_id) == (1, None, "drift", "decision-1")
    pointer = registry.pointer("m")
    assert pointer is not None
    assert (pointer.champion, pointer.artifact_key, pointer.artifact_digest) == (RECORD.version, "k", "d")


def test_a_version_that_a_person_approved_later_serves_from_then_on(registry: InMemoryRegistry) -> None:
    later = datetime(2026, 3, 4, tzinfo=UTC)
    approved = VersionApproval(actor="ada", at=later, reason="checked")
    move = deploy(registry, RUN, RECORD.version, Deployment(), lambda _: None, approved=approved)
    assert move.reason == "drift; approved by ada; checked"
    assert (move.at, getattr(registry.pointer("m"), "serving_since", None)) == (later, later)


def test_a_repeated_deployment_changes_nothing(registry: InMemoryRegistry) -> None:
    first = put_in_service(registry)
    assert put_in_service(registry) == first
    assert registry.deployments("m", 10) == [first]


def test_a_repeated_deployment_does_not_undo_a_rollback(registry: InMemoryRegistry) -> None:
    first = put_in_service(registry)
    old = Servable(version="old", artifact_key="old", artifact_digest="old")
    pointer = registry.pointer("m")
    assert pointer is not None
    registry.move_pointer("m", roll_back(pointer, old, AuditInfo(reason="complaints", actor="ann", at=AS_OF)))
    assert put_in_service(registry) == first
    assert getattr(registry.pointer("m"), "champion", None) == "old"


def test_a_run_that_lost_the_lock_deploys_nothing(registry: InMemoryRegistry) -> None:
    registry.lock_holders["m"] = 2
    with pytest.raises(StaleRun):
        put_in_service(registry)
    assert registry.pointer("m") is None


def test_a_rejected_version_is_not_deployed(registry: InMemoryRegistry) -> None:
    registry.put_version("m", RECORD.replace(version="rejected", verdict=Verdict.REJECT))
    with pytest.raises(Conflict):
        deploy(registry, RUN, "rejected", Deployment(), lambda _: None)


def test_an_unknown_version_is_not_deployed(registry: InMemoryRegistry) -> None:
    with pytest.raises(NotFound):
        deploy(registry, RUN, "unknown", Deployment(), lambda _: None)


SECOND_RUN = RUN.replace(decision_id="decision-2", as_of=datetime(2026, 3, 2, tzinfo=UTC))
CHALLENGER = RECORD.replace(
    version=SECOND_RUN.version_of("a"), decision_id="decision-2", artifact_key="k2", pointer_sequence=1
)


@pytest.mark.parametrize("strategy", ["canary", "shadow"])
def test_first_version_takes_all_traffic_under_any_strategy(registry: InMemoryRegistry, strategy: str) -> None:
    assert strategy_of(put_in_service(registry, strategy=strategy)) is Strategy.DIRECT


@pytest.mark.parametrize(("strategy", "share"), [("canary", 0.1), ("shadow", None)])
def test_a_later_version_is_tried_beside_the_champion(
    registry: InMemoryRegistry, strategy: str, share: float | None
) -> None:
    put_in_service(registry)
    registry.put_version("m", CHALLENGER)
    move = put_in_service(registry, SECOND_RUN, CHALLENGER.version, strategy)
    assert strategy_of(move) is Strategy(strategy)
    assert (move.from_version, move.to_version, move.challenger) == (RECORD.version, RECORD.version, CHALLENGER.version)
    pointer = registry.pointer("m")
    assert pointer is not None
    assert pointer.rollout is not None
    assert (pointer.champion, pointer.rollout.version, pointer.rollout.artifact_key) == (
        RECORD.version,
        CHALLENGER.version,
        "k2",
    )
    assert (pointer.rollout.share, pointer.serving_since) == (share, RUN.as_of)
    assert put_in_service(registry, SECOND_RUN, CHALLENGER.version, strategy) == move


@pytest.mark.parametrize("strategy", ["canary", "shadow"])
def test_version_that_another_server_answers_with_is_deployed_by_a_run(
    registry: InMemoryRegistry, strategy: str
) -> None:
    put_in_service(registry)
    made = CHALLENGER.replace(artifact_key="", artifact_digest="")
    registry.put_version("m", made)
    put_in_service(registry, SECOND_RUN, made.version, strategy)
    pointer = registry.pointer("m")
    assert pointer is not None
    assert pointer.rollout is not None
    assert (pointer.rollout.version, pointer.rollout.artifact_key) == (made.version, "")


@pytest.mark.parametrize("strategy", ["direct", "canary", "shadow"])
def test_a_version_compared_with_another_champion_is_not_deployed(registry: InMemoryRegistry, strategy: str) -> None:
    put_in_service(registry)
    registry.move_pointer("m", promoted("v-other", AS_OF, registry.pointer("m")))
    registry.put_version("m", CHALLENGER)
    with pytest.raises(Conflict, match="changed since"):
        put_in_service(registry, SECOND_RUN, CHALLENGER.version, strategy)


def test_a_probation_that_ended_since_the_gate_changes_nothing(registry: InMemoryRegistry) -> None:
    put_in_service(registry)
    step = promoted("v-next", AS_OF, registry.pointer("m"))
    registry.move_pointer("m", step)
    registry.put_version("m", CHALLENGER.replace(pointer_sequence=2))
    registry.move_pointer("m", pass_probation(step.pointer, AuditInfo(reason="enough labels", actor="watch", at=AS_OF)))
    assert put_in_service(registry, SECOND_RUN, CHALLENGER.version).from_version == "v-next"


def test_a_forced_run_takes_the_place_of_a_version_on_rollout(registry: InMemoryRegistry) -> None:
    put_in_service(registry)
    registry.put_version("m", CHALLENGER)
    put_in_service(registry, SECOND_RUN, CHALLENGER.version, "canary")
    third = RUN.replace(decision_id="decision-3")
    newest = CHALLENGER.replace(version="v-3", decision_id="decision-3", pointer_sequence=2)
    registry.put_version("m", newest)
    put_in_service(registry, third, "v-3", "shadow")
    changes = [(move.change.value, move.challenger) for move in registry.deployments("m", 2)]
    assert changes == [("shadow_started", "v-3"), ("rollout_aborted", CHALLENGER.version)]


def test_names_of_versions_differ_by_decision_and_candidate_and_sort_by_time() -> None:
    names = {RUN.version_of("a"), RUN.version_of("b"), RUN.replace(decision_id="decision-2").version_of("a")}
    assert len(names) == 3
    assert max(names) < RUN.replace(as_of=datetime(2026, 3, 2, tzinfo=UTC)).version_of("a")


def test_a_conclusion_knows_the_dataset_of_the_version_it_names(registry: InMemoryRegistry) -> None:
    event = {"outcome": "rejected", "version": RECORD.version, "reason": "floor"}
    result = result_of(registry, RUN, event)
    assert (result.outcome, result.dataset_id, result.snapshot_as_of) == (RunOutcome.REJECTED, "d1", AS_OF)
    skipped = result_of(registry, RUN, {"outcome": "skipped", "reason": "too_few_rows", "detail": "12 rows"})
    assert skipped.reason == "too_few_rows: 12 rows"
    assert (skipped.dataset_id, skipped.snapshot_as_of, skipped.version) == (None, None, None)
    unknown = result_of(registry, RUN, {"outcome": "failed", "version": "unknown"})
    assert unknown.dataset_id is None


@pytest.mark.parametrize("event", [{}, {"outcome": "fine"}])
def test_a_conclusion_needs_an_outcome(registry: InMemoryRegistry, event: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        result_of(registry, RUN, event)


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("floor: accuracy is 0.6", "floor: accuracy is 0.6"),
        ("", ""),
        (
            'Validate: StaleRun: {"errorMessage": "the \\"lock\\" is lost", "errorType": "X", "stackTrace": ["  File',
            'Validate: StaleRun: the "lock" is lost',
        ),
        ('Train: X: {"errorType": "X", "stackTrace": ["secret', "Train: X: no message"),
        ('Train: X: {"errorMessage": "cut of', "Train: X: no message"),
    ],
)
def test_error_response_has_no_stack_trace(said: str, plain: str) -> None:
    assert plain_reason(said) == plain

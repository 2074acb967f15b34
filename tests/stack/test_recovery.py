"""Executions of the deployed state machine that die: the event, its rule and finalize_run, on a running stack."""

import json
from datetime import UTC, datetime
from typing import Any

from hindsight.adapters.models_table.trigger_table import DynamoTriggers
from hindsight.testing.builders.configuration import configuration, document
from hindsight.triggers.decision import Decision
from hindsight.triggers.evaluation.decide import decide
from hindsight.triggers.state import RunOutcome, RunResult
from local.client import StackClient
from tests.event_schemas import require_promised
from tests.stack.waiting import eventually
from tests.unit.triggers.builders import observed, request

# Later than what other tests leave behind.
NOW = datetime(2027, 10, 1, 12, tzinfo=UTC)


def trigger(client: StackClient, model: str) -> tuple[DynamoTriggers, Decision, dict[str, Any]]:
    """Record a decision that takes the lock; return it, and what its run is started with."""
    store = DynamoTriggers(client.stack.outputs["ModelsTable"], client.aws("dynamodb"))
    client.call("PUT", f"models/{model}", key="operator", json={**document(), "model": model})
    event = request(NOW, model, force=True)
    rules = configuration().triggers
    decision, state = decide(observed(NOW, policy=rules, state=store.load(model), champion=None, event=event))
    assert store.record(decision, state, 0)
    assert state.open_run is not None
    return store, decision, state.open_run.execution_input(model)


def test_stopped_run_is_finalized_announced_and_its_signals_are_pending_again(
    client: StackClient, announcements: Any
) -> None:
    model = "stopped-by-hand"
    store, decision, run = trigger(client, model)
    held = store.load(model).open_run
    machines = client.aws("stepfunctions")
    execution = machines.start_execution(
        stateMachineArn=client.stack.outputs["RetrainingStateMachine"],
        name=decision.decision_id,
        input=json.dumps(run),
    )["executionArn"]

    machines.stop_execution(executionArn=execution)

    eventually(lambda: store.load(model).open_run is None)
    assert held is not None
    assert store.load(model).pending_signals == held.signals
    ended = store.decision(model, NOW, decision.decision_id)
    assert ended is not None
    assert (ended.outcome, ended.outcome_reason) == ("failed", "the execution was stopped by an operator")
    announced = eventually(
        lambda: [event for event in announcements(model) if event["detail-type"] == "RetrainingFailed"]
    )
    require_promised("RetrainingFailed", announced[0]["detail"])


def test_run_that_finalized_itself_is_not_finalized_again(client: StackClient) -> None:
    model = "ended-by-itself"
    store, decision, run = trigger(client, model)
    end = RunResult(outcome=RunOutcome.FAILED, at=NOW, reason="no rows")
    assert store.finalize_run(model, run["fencing_token"], end)
    before = store.load(model)
    event = {
        "detail-type": "Step Functions Execution Status Change",
        "time": "2027-10-01T13:00:00Z",
        "detail": {"status": "FAILED", "error": "RunFailed", "cause": "no rows", "input": json.dumps(run)},
    }

    answer = client.aws("lambda").invoke(
        FunctionName=client.stack.outputs["FinalizeRunFunction"], Payload=json.dumps(event).encode()
    )

    assert json.loads(answer["Payload"].read()) == {"outcome": None}
    assert store.load(model) == before
    ended = store.decision(model, NOW, decision.decision_id)
    assert ended is not None
    assert ended.outcome_reason == "no rows"

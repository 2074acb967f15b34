"""Executions of the deployed state machine that die: the event, its rule and recover_run, on a running stack."""

import json
from datetime import UTC, datetime
from typing import Any

from hindsight.adapters.models_table.trigger_table import DynamoTriggers
from hindsight.testing.builders.configuration import configuration, document
from hindsight.triggers.decide import Occasion, decide
from hindsight.triggers.decision import Cause, Decision
from hindsight.triggers.demand import Observed
from hindsight.triggers.run_start import run_input
from hindsight.triggers.signal import Signal, SignalKind
from hindsight.triggers.state import Conclusion, RunOutcome
from local.client import StackClient
from tests.event_schemas import require_promised
from tests.stack.waiting import eventually

# Later than what other tests leave behind.
NOW = datetime(2027, 10, 1, 12, tzinfo=UTC)


def fire(client: StackClient, model: str) -> tuple[DynamoTriggers, Decision, dict[str, Any]]:
    """Record a decision that takes the lock; return it, and what its run is started with."""
    store = DynamoTriggers(client.stack.outputs["ModelsTable"], client.aws("dynamodb"))
    client.call("PUT", f"models/{model}", key="operator", json={**document(), "model": model})
    decision, state = decide(
        configuration().triggers,
        store.load(model),
        Observed(now=NOW, champion=None, event=Signal(kind=SignalKind.MANUAL, at=NOW, evidence={}), force=True),
        Occasion(cause=Cause.MANUAL, event_id=model),
    )
    assert store.record(decision, state, 0)
    assert state.open_run is not None
    return store, decision, run_input(model, state.open_run)


def test_a_run_that_somebody_stops_is_ended_announced_and_its_demand_kept(
    client: StackClient, announcements: Any
) -> None:
    model = "stopped-by-hand"
    store, decision, run = fire(client, model)
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
    assert store.load(model).demand == held.serving
    ended = store.decision(model, NOW, decision.decision_id)
    assert ended is not None
    assert (ended.outcome, ended.outcome_reason) == ("failed", "the execution was stopped by somebody")
    told = eventually(lambda: [event for event in announcements(model) if event["detail-type"] == "RetrainingFailed"])
    require_promised("RetrainingFailed", told[0]["detail"])


def test_a_run_that_failed_and_said_so_is_not_ended_again(client: StackClient) -> None:
    model = "ended-by-itself"
    store, decision, run = fire(client, model)
    end = Conclusion(outcome=RunOutcome.FAILED, at=NOW, reason="no rows")
    assert store.conclude(model, run["fencing_token"], end)
    before = store.load(model)
    event = {
        "time": "2027-10-01T13:00:00Z",
        "detail": {"status": "FAILED", "error": "RunFailed", "cause": "no rows", "input": json.dumps(run)},
    }

    answer = client.aws("lambda").invoke(
        FunctionName=client.stack.outputs["RecoverRunFunction"], Payload=json.dumps(event).encode()
    )

    assert json.loads(answer["Payload"].read()) == {"outcome": None}
    assert store.load(model) == before
    ended = store.decision(model, NOW, decision.decision_id)
    assert ended is not None
    assert ended.outcome_reason == "no rows"

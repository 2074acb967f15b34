import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from functions.check_triggers.app import handler
from hindsight.bootstrap import stores
from hindsight.monitoring.results.check import Check, CheckKind, Verdict
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.builders.pointers import promoted
from hindsight.triggers.state import RunOutcome, RunResult
from tests.functions.conftest import ENVIRONMENT, Context, FannedOut
from tests.ports import forget_ports

CHECKED_AT = datetime(2026, 3, 8, 12, tzinfo=UTC)

Sample = Callable[[str], dict[str, Any]]


def serving(model: str, verdict: Verdict, **triggers: Any) -> None:
    """A model with a champion and a performance check."""
    settings = {"min_new_labels": 0, "cooldown": "P1D", **triggers}
    stores.configurations().put(configuration(model=model, triggers=settings), CHECKED_AT)
    stores.registry().move_pointer(model, promoted("v1", CHECKED_AT))
    check = Check(
        model=model,
        kind=CheckKind.PERFORMANCE,
        at=CHECKED_AT,
        model_version="v1",
        verdict=verdict,
        reason="accuracy 0.7",
        summary={"value": 0.7},
    )
    stores.check_store().put(check)


def decided_of(fanned_out: FannedOut, event: dict[str, Any]) -> list[dict[str, Any]]:
    """List the decisions that an event leads to, each model's made by an invocation of its own."""
    answers, failures = fanned_out.run(handler, event)
    assert failures == []
    return [decision for answer in answers for decision in answer["decisions"]]


def blocking(decision: dict[str, Any]) -> list[str]:
    return [blocker["code"] for blocker in decision["blocked_by"]]


def test_sample_schedule_retrains_low_models_only(
    executions: Callable[[], list[str]], sample: Sample, fanned_out: FannedOut
) -> None:
    serving("bike-demand", Verdict.LOW)
    serving("car-demand", Verdict.OK)
    low, fine = decided_of(fanned_out, sample("check_triggers"))
    assert (low["model"], low["triggered"]) == ("bike-demand", True)
    assert (fine["triggered"], blocking(fine)) == (False, ["no_signal"])
    assert executions() == [low["decision_id"]]
    assert stores.trigger_store().decisions("car-demand", 10) == []


def test_a_redelivered_schedule_is_one_decision_and_one_run(
    executions: Callable[[], list[str]], sample: Sample, context: Context
) -> None:
    serving("bike-demand", Verdict.LOW)
    first = handler(sample("check_triggers"), context)
    assert handler(sample("check_triggers"), context) == first
    assert len(stores.trigger_store().decisions("bike-demand", 10)) == 1
    assert len(executions()) == 1


def test_the_sample_alarm_makes_each_low_model_s_policy_decide(
    executions: Callable[[], list[str]], sample: Sample, fanned_out: FannedOut
) -> None:
    serving("bike-demand", Verdict.LOW)
    serving("car-demand", Verdict.LOW, performance=False)
    serving("train-demand", Verdict.LOW, combine="all")
    serving("ship-demand", Verdict.OK)
    decided = decided_of(fanned_out, sample("check_triggers_alarm"))
    assert {row["model"]: blocking(row) for row in decided} == {
        "bike-demand": [],
        "car-demand": ["no_signal"],
        "train-demand": ["combination"],
    }
    [decision] = stores.trigger_store().decisions("bike-demand", 10)
    assert (decision.cause, [signal.kind for signal in decision.active_signals]) == ("alarm", ["performance"])
    assert decision.at == CHECKED_AT


def of_one_model(event: dict[str, Any], model: str) -> dict[str, Any]:
    """Build an alarm as an operator makes it, on one model's metric."""
    alarm = event["Records"][0]["Sns"]
    message = json.loads(alarm["Message"])
    message["Trigger"]["Dimensions"] = [{"name": "Model", "value": model}]
    alarm["Message"] = json.dumps(message)
    return event


def test_an_operator_s_alarm_on_one_model_is_enough_alone(
    executions: Callable[[], list[str]], sample: Sample, fanned_out: FannedOut
) -> None:
    serving("bike-demand", Verdict.OK, performance=False, drift=False)
    serving("car-demand", Verdict.LOW)
    [decided] = decided_of(fanned_out, of_one_model(sample("check_triggers_alarm"), "bike-demand"))
    assert (decided["model"], decided["triggered"]) == ("bike-demand", True)
    [decision] = stores.trigger_store().decisions("bike-demand", 10)
    assert [signal.kind for signal in decision.active_signals] == ["alarm"]


def drifting(model: str, **triggers: Any) -> None:
    serving(model, Verdict.OK, **triggers)
    check = Check(
        model=model,
        kind=CheckKind.DRIFT,
        at=CHECKED_AT,
        model_version="v1",
        verdict=Verdict.DRIFT,
        reason="7 of 20 features drift",
        report_key="checks/d.json",
        page_key="checks/d.html",
    )
    stores.check_store().put(check)


def test_the_sample_drift_alarm_makes_each_drifting_model_s_policy_decide(
    executions: Callable[[], list[str]], sample: Sample, fanned_out: FannedOut
) -> None:
    drifting("bike-demand")
    drifting("car-demand", drift=False)
    drifting("train-demand", combine="all")
    serving("ship-demand", Verdict.OK)
    decided = decided_of(fanned_out, sample("check_triggers_drift_alarm"))
    assert {row["model"]: blocking(row) for row in decided} == {
        "bike-demand": [],
        "car-demand": ["no_signal"],
        "train-demand": ["combination"],
    }
    [decision] = stores.trigger_store().decisions("bike-demand", 10)
    assert (decision.cause, [signal.kind for signal in decision.active_signals]) == ("alarm", ["drift"])
    assert decision.at == CHECKED_AT
    [other] = stores.trigger_store().decisions("car-demand", 10)
    assert {signal.kind: signal.reason for signal in other.signals}["drift"] == "not configured"


def test_a_run_s_input_links_the_reports_of_its_signals(
    executions: Callable[[], list[str]], sample: Sample, context: Context
) -> None:
    drifting("bike-demand")
    handler(sample("check_triggers"), context)
    runs: Any = boto3.client("stepfunctions")
    [started] = runs.list_executions(stateMachineArn=ENVIRONMENT["STATE_MACHINE_ARN"])["executions"]
    given = json.loads(runs.describe_execution(executionArn=started["executionArn"])["input"])
    assert given["signals"] == [
        {
            "kind": "drift",
            "since": "2026-03-08T12:00:00.000000Z",
            "reason": "7 of 20 features drift",
            "report_key": "checks/d.json",
            "page_key": "checks/d.html",
        }
    ]


def test_evaluation_that_records_no_decision_is_kept_as_the_last_one(
    executions: Callable[[], list[str]], sample: Sample, context: Context
) -> None:
    serving("bike-demand", Verdict.OK, volume=5000)
    handler(sample("check_triggers"), context)
    assert stores.trigger_store().decisions("bike-demand", 10) == []
    last = stores.trigger_store().last_evaluation("bike-demand")
    assert last is not None
    assert "volume: 0 of 5000 new labels" in last.explanation


def test_with_bounded_clocks_an_alarm_belongs_to_the_moment_it_went_off(
    executions: Callable[[], list[str]], sample: Sample, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENT_TIMESTAMPS", "bounded")
    forget_ports()
    serving("bike-demand", Verdict.LOW)
    handler(sample("check_triggers_alarm"), context)
    [decision] = stores.trigger_store().decisions("bike-demand", 10)
    assert decision.at == datetime(2026, 3, 8, 12, 1, 17, 345000, tzinfo=UTC)


def test_an_alarm_that_went_back_to_normal_decides_nothing(
    executions: Callable[[], list[str]], sample: Sample, context: Context
) -> None:
    serving("bike-demand", Verdict.LOW)
    event = sample("check_triggers_alarm")
    message = event["Records"][0]["Sns"]["Message"]
    event["Records"][0]["Sns"]["Message"] = message.replace('"NewStateValue": "ALARM"', '"NewStateValue": "OK"')
    assert handler(event, context) == {"decisions": []}


def test_a_run_that_was_finalized_leaves_the_next_check_free(
    executions: Callable[[], list[str]], sample: Sample, context: Context
) -> None:
    serving("bike-demand", Verdict.LOW)
    handler(sample("check_triggers"), context)
    later = sample("check_triggers") | {"time": "2026-03-08T13:05:00Z"}
    [held] = handler(later, context)["decisions"]
    assert blocking(held) == ["no_signal"]  # the run has seen the check
    result = RunResult(outcome=RunOutcome.FAILED, at=CHECKED_AT, reason="train failed")
    assert stores.trigger_store().finalize_run("bike-demand", 1, result)
    [again] = handler(later | {"time": "2026-03-09T13:05:00Z"}, context)["decisions"]
    assert again["triggered"]
    assert len(executions()) == 2


def test_one_model_that_fails_does_not_stop_the_others(
    executions: Callable[[], list[str]], sample: Sample, fanned_out: FannedOut, dynamodb: Any
) -> None:
    serving("a-broken-one", Verdict.LOW)
    serving("bike-demand", Verdict.LOW)
    key = {"pk": {"S": "a-broken-one"}, "sk": {"S": "configuration#000001"}}
    dynamodb.delete_item(TableName="models", Key=key)
    _, [failure] = fanned_out.run(handler, sample("check_triggers"))
    assert "a-broken-one" in str(failure)
    assert len(executions()) == 1


def test_a_schedule_may_name_one_model(executions: Callable[[], list[str]], sample: Sample, context: Context) -> None:
    serving("bike-demand", Verdict.LOW)
    serving("car-demand", Verdict.LOW)
    only = handler(sample("check_triggers") | {"detail": {"model": "car-demand"}}, context)["decisions"]
    assert [decision["model"] for decision in only] == ["car-demand"]

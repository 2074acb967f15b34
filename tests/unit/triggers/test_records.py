"""Decision records: each has the whole reason for a retraining or its absence."""

from datetime import timedelta
from typing import Any

import pytest

from hindsight.config.triggers import AtLeast, RunBudget, Triggers
from hindsight.monitoring.results.check import Verdict
from hindsight.triggers.decision import Decision
from hindsight.triggers.evaluation.decide import worth_recording
from hindsight.triggers.inputs import TriggerInputs
from hindsight.triggers.state import TriggerState
from tests.unit.triggers.builders import (
    DAY,
    HOUR,
    NEW,
    NOW,
    alarm,
    drift,
    estimated,
    evaluate,
    observed,
    performance,
    policy,
    ran,
    request,
)

RAN = ran(NOW - HOUR).replace(run_starts=(NOW - HOUR,))
EVERYTHING = policy(schedule=30 * DAY, volume=5000, estimated_performance=True)


def recorded(rules: Triggers, state: TriggerState, seen: TriggerInputs) -> Decision:
    return evaluate(rules, state, seen)[0]


def reasons(decision: Decision) -> dict[str, str]:
    return {signal.kind: signal.reason for signal in decision.signals}


def blocking(decision: Decision) -> dict[str, Any]:
    return {blocker.code.value: dict(blocker.details) for blocker in decision.blocked_by}


def test_quiet_evaluation_shows_how_far_every_signal_is_from_active() -> None:
    fine = drift(Verdict.OK).replace(reason="1 of 20 features drift")
    few = performance(Verdict.INSUFFICIENT).replace(reason="120 matured labels, fewer than the 200 a verdict needs")
    decision = recorded(EVERYTHING, RAN, observed(drift=fine, performance=few, new_labels=3100))
    found = {kind: reason for kind, reason in reasons(decision).items() if reason != "not configured"}
    assert found == {
        "first_version": "a version serves",
        "schedule": "due at 2026-03-31T11:00:00.000000Z",
        "volume": "3100 of 5000 new labels",
        "drift": "ok, 1 of 20 features drift; checked at 2026-03-01T12:00:00.000000Z",
        "performance": "insufficient, 120 matured labels, fewer than the 200 a verdict needs;"
        " checked at 2026-03-01T12:00:00.000000Z",
        "estimated_performance": "not checked yet",
        "alarm": "none that no run has answered",
        "manual": "none that no run has answered",
    }
    assert decision.explanation.startswith("Did not retrain because no signal is active (schedule: due at 2026-03-31")
    assert "volume: 3100 of 5000 new labels" in decision.explanation


def test_inactive_signal_keeps_its_numbers_and_the_links_to_its_report() -> None:
    linked = drift(Verdict.OK).replace(summary={"share": 0.05}, report_key="checks/d.json", page_key="checks/d.html")
    decision = recorded(EVERYTHING, RAN, observed(drift=linked, new_labels=7))
    by_kind = {signal.kind: signal.details for signal in decision.signals}
    assert by_kind["drift"] == {
        "verdict": "ok",
        "checked_at": "2026-03-01T12:00:00.000000Z",
        "model_version": "v1",
        "report_key": "checks/d.json",
        "page_key": "checks/d.html",
        "share": 0.05,
    }
    assert by_kind["volume"] == {"new_labels": 7, "threshold": 5000, "since": None}
    assert by_kind["schedule"]["due_at"] == "2026-03-31T11:00:00.000000Z"


def test_active_signal_keeps_its_numbers_and_the_links_to_its_report() -> None:
    linked = drift().replace(summary={"share": 0.5}, report_key="checks/d.json", page_key="checks/d.html")
    decision = recorded(EVERYTHING, NEW, observed(drift=linked))
    (found,) = [signal for signal in decision.signals if signal.kind == "drift"]
    assert (found.active, found.since, found.reason) == (True, NOW, "drift drift")
    assert (found.details["share"], found.details["page_key"]) == (0.5, "checks/d.html")


@pytest.mark.parametrize(
    ("seen", "kind", "reason"),
    [
        (observed(drift=drift(version="v0")), "drift", "of v0, which no longer serves"),
        (observed(drift=drift(at=NOW - 2 * HOUR)), "drift", "before the last run began"),
        (observed(champion=None), "drift", "no version serves that could be checked"),
        (observed(estimated=estimated(Verdict.OK)), "estimated_performance", "ok, estimated_performance ok"),
        (observed(new_labels=None), "volume", "not counted while a run is open"),
        (observed(event=alarm(NOW - 2 * HOUR)), "alarm", "the run that began after it has it in view"),
    ],
)
def test_inactive_signal_has_its_reason(seen: TriggerInputs, kind: str, reason: str) -> None:
    assert reason in reasons(recorded(EVERYTHING, RAN, seen))[kind]


def test_signal_that_is_not_configured_is_listed_but_not_explained() -> None:
    decision = recorded(policy(drift=False, performance=False), NEW, observed(drift=drift()))
    assert set(reasons(decision).values()) == {"not configured", "a version serves", "none that no run has answered"}
    assert "drift" not in decision.explanation


def test_every_blocker_has_its_numbers() -> None:
    rules = policy(
        combine=AtLeast(at_least=2),
        cooldown=DAY,
        min_new_labels=200,
        max_runs=RunBudget(count=2, per=7 * DAY),
    )
    starts = (NOW - 6 * DAY, NOW - 5 * DAY, NOW - HOUR)
    state = RAN.replace(run_starts=starts, consecutive_rejections=1)
    decision = recorded(rules, state, observed(drift=drift(), new_labels=120, relabelling="relabel-1"))
    assert blocking(decision) == {
        "combination": {"active": ["drift"], "needed": 2, "possible": 2},
        "relabelling": {"job_id": "relabel-1"},
        "cooldown": {"last_run_started_at": "2026-03-01T11:00:00.000000Z", "until": "2026-03-02T11:00:00.000000Z"},
        "back_off": {"consecutive_rejections": 1, "consecutive_rollbacks": 0, "until": "2026-03-03T11:00:00.000000Z"},
        # Of three within a week two may stay: the second of them must leave.
        "run_budget": {
            "used": 3,
            "allowed": 2,
            "per_seconds": 604_800.0,
            "until": "2026-03-03T12:00:00.000000Z",
        },
        "min_new_labels": {"have": 120, "need": 200},
    }
    assert decision.explanation == (
        "Did not retrain, although drift was found (drift drift), because"
        " 2 of drift, performance must be active, and 1 is;"
        " the relabelling relabel-1 is under way, and a snapshot would mix old rules with new;"
        " the cooldown after the run of 2026-03-01T11:00:00.000000Z lasts until 2026-03-02T11:00:00.000000Z;"
        " after 1 rejected in a row the next run may start at 2026-03-03T11:00:00.000000Z;"
        " 3 of 2 runs in 7 days are used; the next is free at 2026-03-03T12:00:00.000000Z;"
        " 120 new labels are fewer than the 200 a run needs."
    )


def test_open_run_is_listed_with_its_lease() -> None:
    first, running = evaluate(policy(), NEW, observed(drift=drift()))
    decision = recorded(policy(), running, observed(now=NOW + HOUR, event=request(NOW + HOUR), new_labels=None))
    assert blocking(decision)["open_run"] == {
        "decision_id": first.decision_id,
        "started_at": "2026-03-01T12:00:00.000000Z",
        "lease_expires_at": "2026-03-02T12:00:00.000000Z",
    }


def test_triggered_decision_explains_itself_in_a_sentence() -> None:
    decision = recorded(policy(volume=500), NEW, observed(drift=drift(), new_labels=700))
    assert decision.explanation == (
        "Retrains because drift was found (drift drift) and there are enough new labels (700 new labels reach 500)."
    )


def test_hourly_evaluations_that_find_the_same_are_recorded_once() -> None:
    state, kept = ran(NOW), list[Decision]()
    for hour in range(1, 200):
        now = NOW + timedelta(hours=hour)
        seen = observed(now=now, drift=drift(Verdict.DRIFT if hour > 100 else Verdict.OK, now))
        decision, after = evaluate(policy(cooldown=30 * DAY), state, seen)
        if worth_recording(decision, state):
            state = after
            kept.append(decision)
    assert [decision.at for decision in kept] == [NOW + 101 * HOUR]

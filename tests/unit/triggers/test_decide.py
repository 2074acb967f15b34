"""The limits on triggered runs: cooldown, back-off, budget, force."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hindsight.config.triggers import AtLeast, Triggers
from hindsight.labels.archiving.new_labels import UpcomingLabels
from hindsight.monitoring.results.check import CheckKind, Verdict
from hindsight.triggers.decision import BlockCode, Decision
from hindsight.triggers.evaluation.decide import worth_recording
from hindsight.triggers.inputs import Cause, TriggerEvent, TriggerInputs
from hindsight.triggers.signals.registry import SIGNALS
from hindsight.triggers.state import (
    LEASE,
    RunOutcome,
    RunResult,
    finalized,
)
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
from tests.unit.triggers.decisions import decided, run_and_end

QUIET = policy(drift=False, performance=False)
# What makes each kind of signal active, and no other.
ALONE: dict[str, tuple[Triggers, TriggerInputs]] = {
    "first_version": (policy(), observed(champion=None)),
    "schedule": (policy(schedule=DAY), observed()),
    "volume": (policy(volume=1000), observed(new_labels=1000)),
    "drift": (policy(drift=True), observed(drift=drift())),
    "performance": (policy(performance=True), observed(performance=performance())),
    "estimated_performance": (policy(estimated_performance=True), observed(estimated=estimated())),
    "alarm": (QUIET, observed(event=alarm())),
    "manual": (QUIET, observed(event=request())),
}


def kinds(decision: Decision) -> set[str]:
    return {signal.kind for signal in decision.active_signals}


@pytest.mark.parametrize(
    "verdicts", [(Verdict.OK, Verdict.INSUFFICIENT), (Verdict.INSUFFICIENT, Verdict.OK), (Verdict.SUSPECT,) * 2]
)
def test_no_active_signal_triggers_no_run(verdicts: tuple[Verdict, Verdict]) -> None:
    decision = decided(policy(), NEW, observed(drift=drift(verdicts[0]), performance=performance(verdicts[1])))
    assert decision.block_codes[0] is BlockCode.NO_SIGNAL
    assert not worth_recording(decision, NEW)


@pytest.mark.parametrize("kind", [signal.kind for signal in SIGNALS])
def test_every_kind_of_signal_can_fire_alone(kind: str) -> None:
    assert kind in ALONE, f"give {kind} a policy and inputs in ALONE of tests/unit/triggers/test_decide.py"
    rules, seen = ALONE[kind]
    decision, after = evaluate(rules, NEW, seen)
    assert decision.triggered
    assert kinds(decision) == {kind}
    assert after.open_run is not None
    assert after.open_run.decision_id == decision.decision_id
    assert after.open_run.lease_expires_at == NOW + LEASE
    assert (after.fencing_token, decision.fencing_token, after.pending_signals) == (1, 1, {})


@pytest.mark.parametrize(
    ("rules", "labels", "reason"),
    [
        (
            policy(min_new_labels=200),
            199,
            "199 of 200 labels are due; 403 more are known and not due yet, the first at ",
        ),
        (policy(), 69, "69 of 70 labels are due; 403 more"),
        (policy(first_version=False), 1000, "not configured"),
    ],
)
def test_first_version_waits_for_labels_and_counts_them(rules: Triggers, labels: int, reason: str) -> None:
    upcoming = UpcomingLabels(403, NOW + DAY)
    decision = decided(rules, NEW, observed(champion=None, new_labels=labels, upcoming=upcoming))
    assert decision.block_codes == (BlockCode.NO_SIGNAL,)
    assert decision.signals[0].reason.startswith(reason)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("first_version", "there are enough labels for a first version (1000 labels are due, 70 are needed)"),
        ("schedule", "the schedule is due (due since 2026-03-01T12:00:00.000000Z)"),
        ("volume", "there are enough new labels (1000 new labels reach 1000)"),
        ("drift", "drift was found (drift drift)"),
        ("performance", "live performance is low (performance low)"),
        ("estimated_performance", "estimated performance is low (estimated_performance low)"),
        ("alarm", "an alarm went off (crossed)"),
        ("manual", "a run was requested (new season)"),
    ],
)
def test_every_kind_of_signal_reads_as_a_sentence(kind: str, sentence: str) -> None:
    rules, seen = ALONE[kind]
    assert decided(rules, NEW, seen).explanation == f"Retrains because {sentence}."


def test_every_kind_of_signal_has_a_clause_of_words() -> None:
    assert not [signal.kind for signal in SIGNALS if "_" in signal.clause or " " not in signal.clause]


def test_first_version_is_tried_again_a_cooldown_after_a_skipped_run() -> None:
    rules, seen = policy(cooldown=DAY), observed(champion=None, new_labels=200)
    skipped = run_and_end(NEW, RunOutcome.SKIPPED, rules, seen)
    assert not decided(rules, skipped, replace(seen, now=NOW + DAY - HOUR)).active_signals
    assert decided(rules, skipped, replace(seen, now=NOW + DAY)).triggered


def test_first_version_is_enough_for_any_combination() -> None:
    for combine in ("all", AtLeast(at_least=2)):
        assert decided(policy(combine=combine), NEW, observed(champion=None, new_labels=200)).triggered


def test_signals_the_policy_does_not_listen_to_are_not_heard() -> None:
    assert not decided(
        QUIET, NEW, observed(drift=drift(), performance=performance(), estimated=estimated())
    ).active_signals
    assert not decided(Triggers(), NEW, observed(estimated=estimated())).active_signals


def test_the_schedule_is_due_a_period_after_the_last_run_began() -> None:
    state = ran(NOW)
    rules = policy(schedule=DAY)
    assert not decided(rules, state, observed(now=NOW + DAY - HOUR)).triggered
    assert decided(rules, state, observed(now=NOW + DAY)).triggered


def test_without_a_champion_the_schedule_is_due_at_once() -> None:
    state = ran(NOW - HOUR)
    assert decided(policy(schedule=timedelta(days=30)), state, observed(champion=None)).triggered


def test_all_asks_for_every_signal_listened_to() -> None:
    rules = policy(combine="all", volume=500)
    assert decided(rules, NEW, observed(drift=drift())).block_codes[0] is BlockCode.COMBINATION
    assert decided(rules, NEW, observed(drift=drift(), performance=performance())).triggered


def test_all_does_not_wait_for_checks_that_need_a_champion() -> None:
    assert decided(policy(combine="all", schedule=DAY), NEW, observed(champion=None)).triggered


def test_at_least_counts_signals_and_never_asks_for_more_than_there_are() -> None:
    rules = policy(combine=AtLeast(at_least=2), schedule=DAY)
    state = ran(NOW - HOUR)
    assert decided(rules, state, observed(drift=drift())).block_codes[0] is BlockCode.COMBINATION
    assert decided(rules, state, observed(drift=drift(), performance=performance())).triggered
    alone = policy(combine=AtLeast(at_least=5), drift=False)
    assert decided(alone, NEW, observed(performance=performance())).triggered


@pytest.mark.parametrize("event", [alarm(), request()])
def test_alarm_or_request_triggers_a_run_under_any_combination(event: TriggerEvent) -> None:
    assert decided(policy(combine="all", volume=10_000), NEW, observed(event=event)).triggered


def test_a_check_older_than_the_last_run_does_not_signal_again() -> None:
    state = run_and_end(NEW, RunOutcome.REJECTED, policy(), observed(drift=drift()))
    assert not decided(policy(), state, observed(now=NOW + HOUR, drift=drift(at=NOW))).active_signals
    assert decided(policy(), state, observed(now=NOW + 3 * HOUR, drift=drift(at=NOW + HOUR))).triggered


def test_a_check_of_a_version_that_no_longer_serves_does_not_signal() -> None:
    assert not decided(policy(), NEW, observed(champion="v2", drift=drift(version="v1"))).active_signals


def test_drift_seen_during_a_run_is_answered_by_its_promotion() -> None:
    _, running = evaluate(policy(), NEW, observed(event=alarm()))
    seen = drift(at=NOW + HOUR).replace(summary={})
    _, waiting = evaluate(policy(), running, observed(now=NOW + HOUR, drift=seen))
    assert "drift" in waiting.pending_signals
    promoted = finalized(waiting, 1, RunResult(outcome=RunOutcome.PROMOTED, at=NOW + HOUR))
    assert promoted is not None
    assert not decided(policy(), promoted, observed(now=NOW + 2 * HOUR, champion="v2", drift=seen)).active_signals


@pytest.mark.parametrize("verdict", [Verdict.OK, Verdict.SUSPECT])
def test_kept_drift_stands_until_a_newer_check_does_not_find_it(verdict: Verdict) -> None:
    rules = policy(cooldown=30 * DAY)
    state = ran(NOW - DAY)
    _, waiting = evaluate(rules, state, observed(drift=drift()))
    later = NOW + HOUR
    unsure = decided(rules, waiting, observed(now=later, drift=drift(Verdict.INSUFFICIENT, at=later)))
    assert kinds(unsure) == {"drift"}
    settled, after = evaluate(rules, waiting, observed(now=later, drift=drift(verdict, at=later)))
    assert settled.block_codes[0] is BlockCode.NO_SIGNAL
    assert after.pending_signals == {}
    assert worth_recording(settled, waiting)


@pytest.mark.parametrize("outcome", [RunOutcome.REJECTED, RunOutcome.SKIPPED, RunOutcome.FAILED])
def test_low_performance_that_an_alarm_shows_during_a_run_fires_after_it(outcome: RunOutcome) -> None:
    _, running = evaluate(policy(), NEW, observed(event=request()))
    shown = observed(now=NOW + HOUR, performance=performance(at=NOW + HOUR))
    stack_alarm = TriggerEvent(cause=Cause.ALARM, event_id="stack")
    held, waiting = evaluate(policy(), running, replace(shown, event=stack_alarm))
    assert (held.block_codes[0], worth_recording(held, running)) == (BlockCode.OPEN_RUN, True)
    assert "performance" in waiting.pending_signals
    free = finalized(waiting, 1, RunResult(outcome=outcome, at=NOW + HOUR))
    assert free is not None
    decision = decided(policy(), free, observed(now=NOW + DAY, performance=shown.checks[CheckKind.PERFORMANCE]))
    assert decision.triggered
    assert "performance" in kinds(decision)


def test_an_alarm_during_a_run_fires_after_it() -> None:
    _, running = evaluate(QUIET, NEW, observed(event=request()))
    _, waiting = evaluate(QUIET, running, observed(now=NOW + HOUR, event=alarm(NOW + HOUR)))
    free = finalized(waiting, 1, RunResult(outcome=RunOutcome.PROMOTED, at=NOW + HOUR))
    assert free is not None
    decision = decided(QUIET, free, observed(now=NOW + 2 * HOUR))
    assert decision.triggered
    assert kinds(decision) == {"alarm"}


def test_the_schedule_of_a_run_that_failed_is_due_until_one_does_not() -> None:
    rules = policy(schedule=30 * DAY, cooldown=DAY, drift=False, performance=False)
    failed = run_and_end(NEW, RunOutcome.FAILED, rules, observed())
    held, waiting = evaluate(rules, failed, observed(now=NOW + HOUR))
    assert held.block_codes[0] is BlockCode.COOLDOWN
    again, running = evaluate(rules, waiting, observed(now=NOW + DAY))
    assert again.triggered
    assert kinds(again) == {"schedule"}
    ended = finalized(running, 2, RunResult(outcome=RunOutcome.REJECTED, at=NOW + DAY))
    assert ended is not None
    assert not decided(rules, ended, observed(now=NOW + 2 * DAY)).active_signals


def test_a_schedule_taken_out_of_the_policy_is_no_longer_due_however_its_run_ended() -> None:
    failed = run_and_end(NEW, RunOutcome.FAILED, policy(schedule=DAY), observed())
    assert not decided(QUIET, failed, observed(now=NOW + HOUR)).active_signals


def test_an_alarm_older_than_the_run_is_answered_by_it() -> None:
    _, running = evaluate(QUIET, NEW, observed(event=alarm()))
    again = decided(QUIET, running, observed(now=NOW, event=alarm()))
    assert again.block_codes[0] is BlockCode.NO_SIGNAL


def test_a_failed_run_gives_its_demand_back_and_the_next_check_serves_it() -> None:
    state = run_and_end(NEW, RunOutcome.FAILED, QUIET, observed(event=request()))
    decision = decided(QUIET, state, observed(now=NOW + HOUR))
    assert decision.triggered
    assert decision.actor == "key:operator"
    assert decision.fencing_token == 2


def test_the_same_event_gives_the_same_decision_id_and_another_conclusion_another() -> None:
    seen = observed(event=request(event_id="r1"))
    first, running = evaluate(QUIET, NEW, seen)
    assert evaluate(QUIET, NEW, seen)[0].decision_id == first.decision_id
    assert evaluate(QUIET, running, seen)[0].decision_id != first.decision_id
    assert evaluate(QUIET, NEW.replace(model="car"), seen)[0].decision_id != first.decision_id


def test_a_decision_id_is_a_name_an_execution_may_have() -> None:
    decision = decided(policy(), NEW.replace(model="m" * 64), observed(drift=drift()))
    assert len(decision.decision_id) <= 80
    assert decision.decision_id.replace("-", "").isalnum()


def test_hourly_repetitions_of_one_suppression_are_recorded_once() -> None:
    rules = policy(cooldown=DAY)
    state = ran(NOW)
    first, after = evaluate(rules, state, observed(now=NOW + HOUR, drift=drift(at=NOW + HOUR)))
    assert worth_recording(first, state)
    later = observed(now=NOW + 2 * HOUR, drift=drift(at=NOW + 2 * HOUR))
    assert not worth_recording(decided(rules, after, later), after)
    more = observed(now=later.now, drift=drift(at=later.now), performance=performance(at=later.now))
    assert worth_recording(decided(rules, after, more), after)


def test_a_decision_comes_back_from_its_json() -> None:
    decision = decided(policy(min_new_labels=200), NEW, observed(drift=drift(), new_labels=3))
    assert Decision.from_plain(decision.to_plain()) == decision
    plain = decision.to_plain()
    assert (plain["triggered"], plain["blocked_by"][0]["code"]) == (False, "min_new_labels")

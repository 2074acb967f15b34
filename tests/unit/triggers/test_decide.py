from dataclasses import replace
from datetime import timedelta

import pytest

from hindsight.config.triggers import AtLeast, RunBudget, Triggers
from hindsight.monitoring.results.check import Verdict
from hindsight.registry.pointer import Trial, TrialMode
from hindsight.triggers.decide import Occasion, decide, worth_recording
from hindsight.triggers.decision import Cause, Decision
from hindsight.triggers.demand import Observed
from hindsight.triggers.signal import SignalKind
from hindsight.triggers.state import LEASE, Conclusion, RunOutcome, TriggerState, concluded, rolled_back, trusted
from hindsight.triggers.suppression import SuppressedBy
from tests.unit.triggers.builders import (
    DAY,
    HOUR,
    NOW,
    SCHEDULED,
    alarm,
    drift,
    estimated,
    observed,
    performance,
    policy,
    request,
)

NEW = TriggerState(model="bike")
QUIET = policy(drift=False, performance=False)


def kinds(decision: Decision) -> set[SignalKind]:
    return {signal.kind for signal in decision.signals}


def decided(rules: Triggers, state: TriggerState, seen: Observed) -> Decision:
    return decide(rules, state, seen, SCHEDULED)[0]


def run_and_end(state: TriggerState, outcome: RunOutcome, rules: Triggers, seen: Observed) -> TriggerState:
    decision, after = decide(rules, state, seen, SCHEDULED)
    assert decision.fired
    ended = concluded(after, after.fencing_token, Conclusion(outcome=outcome, at=seen.now))
    assert ended is not None
    return ended


def test_where_nothing_stands_nothing_fires() -> None:
    decision = decided(policy(), NEW, observed(drift=drift(Verdict.OK), performance=performance(Verdict.INSUFFICIENT)))
    assert decision.suppressed_by is SuppressedBy.NO_SIGNAL
    assert not worth_recording(decision, NEW)


@pytest.mark.parametrize(
    ("rules", "seen", "kind"),
    [
        (policy(drift=True), observed(drift=drift()), SignalKind.DRIFT),
        (policy(performance=True), observed(performance=performance()), SignalKind.PERFORMANCE),
        (policy(estimated_performance=True), observed(estimated=estimated()), SignalKind.ESTIMATED_PERFORMANCE),
        (policy(volume=1000), observed(new_labels=1000), SignalKind.VOLUME),
        (policy(schedule=DAY), observed(), SignalKind.SCHEDULE),
        (QUIET, observed(event=alarm()), SignalKind.ALARM),
        (QUIET, observed(event=request()), SignalKind.MANUAL),
    ],
)
def test_every_kind_of_signal_can_fire_alone(rules: Triggers, seen: Observed, kind: SignalKind) -> None:
    decision, after = decide(rules, NEW, seen, SCHEDULED)
    assert decision.fired
    assert kinds(decision) == {kind}
    assert after.open_run is not None
    assert after.open_run.decision_id == decision.decision_id
    assert after.open_run.lease_expires_at == NOW + LEASE
    assert (after.fencing_token, decision.fencing_token, after.demand) == (1, 1, {})


def test_signals_the_policy_does_not_listen_to_are_not_heard() -> None:
    assert not decided(QUIET, NEW, observed(drift=drift(), performance=performance(), estimated=estimated())).signals
    assert not decided(Triggers(), NEW, observed(estimated=estimated())).signals


def test_a_volume_below_the_threshold_is_no_signal() -> None:
    assert not decided(policy(volume=1001), NEW, observed(new_labels=1000)).signals


def test_the_schedule_is_due_a_period_after_the_last_run_began() -> None:
    state = replace(NEW, last_run_started_at=NOW)
    rules = policy(schedule=DAY)
    assert not decided(rules, state, observed(now=NOW + DAY - HOUR)).fired
    assert decided(rules, state, observed(now=NOW + DAY)).fired


def test_without_a_champion_the_schedule_is_due_at_once() -> None:
    state = replace(NEW, last_run_started_at=NOW - HOUR)
    assert decided(policy(schedule=timedelta(days=30)), state, observed(champion=None)).fired


def test_all_asks_for_every_signal_listened_to() -> None:
    rules = policy(combine="all", volume=500)
    assert decided(rules, NEW, observed(drift=drift())).suppressed_by is SuppressedBy.COMBINATION
    assert decided(rules, NEW, observed(drift=drift(), performance=performance())).fired


def test_all_does_not_wait_for_checks_that_need_a_champion() -> None:
    assert decided(policy(combine="all", schedule=DAY), NEW, observed(champion=None)).fired


def test_at_least_counts_signals_and_never_asks_for_more_than_there_are() -> None:
    rules = policy(combine=AtLeast(at_least=2), schedule=DAY)
    state = replace(NEW, last_run_started_at=NOW - HOUR)
    assert decided(rules, state, observed(drift=drift())).suppressed_by is SuppressedBy.COMBINATION
    assert decided(rules, state, observed(drift=drift(), performance=performance())).fired
    alone = policy(combine=AtLeast(at_least=5), drift=False)
    assert decided(alone, NEW, observed(performance=performance())).fired


@pytest.mark.parametrize("event", [alarm(), request()])
def test_an_alarm_and_a_request_are_enough_whatever_the_combination(event: object) -> None:
    assert decided(policy(combine="all", volume=10_000), NEW, observed(event=event)).fired


def test_too_few_new_labels_hold_a_run_back() -> None:
    decision = decided(policy(min_new_labels=200), NEW, observed(drift=drift(), new_labels=199))
    assert decision.held_back_by == (SuppressedBy.MIN_NEW_LABELS,)


def test_the_cooldown_counts_from_the_last_start() -> None:
    rules = policy(cooldown=DAY)
    state = replace(NEW, last_run_started_at=NOW)
    early = observed(now=NOW + DAY - HOUR, drift=drift(at=NOW + HOUR))
    assert decided(rules, state, early).suppressed_by is SuppressedBy.COOLDOWN
    assert decided(rules, state, replace(early, now=NOW + DAY)).fired


def test_the_run_budget_counts_the_runs_of_the_period() -> None:
    rules = policy(max_runs=RunBudget(count=2, per=timedelta(days=7)))
    starts = (NOW - 8 * DAY, NOW - 6 * DAY, NOW - DAY)
    state = replace(NEW, run_starts=starts, last_run_started_at=starts[-1])
    assert decided(rules, state, observed(drift=drift())).suppressed_by is SuppressedBy.RUN_BUDGET
    assert decided(rules, state, observed(now=NOW + DAY + HOUR, drift=drift())).fired


def test_rejections_in_a_row_double_the_cooldown_up_to_eight_times() -> None:
    rules = policy(cooldown=DAY)
    state = replace(NEW, last_run_started_at=NOW, consecutive_rejections=2)

    def after(days: int, rejections: int) -> Decision:
        seen = observed(now=NOW + days * DAY, drift=drift(at=NOW + HOUR))
        return decided(rules, replace(state, consecutive_rejections=rejections), seen)

    assert after(0, 2).held_back_by == (SuppressedBy.COOLDOWN, SuppressedBy.BACK_OFF)
    assert after(3, 2).held_back_by == (SuppressedBy.BACK_OFF,)
    assert after(4, 2).fired
    assert after(7, 30).suppressed_by is SuppressedBy.BACK_OFF
    assert after(8, 30).fired


def test_a_version_taken_back_doubles_the_cooldown_from_then_on() -> None:
    rules = policy(cooldown=DAY)
    taken_back = rolled_back(replace(NEW, last_run_started_at=NOW - 14 * DAY), NOW)
    assert taken_back is not None

    def after(waited: timedelta, state: TriggerState) -> Decision:
        return decided(rules, state, observed(now=NOW + waited, drift=drift(at=NOW)))

    held = after(2 * DAY - HOUR, taken_back)
    assert held.held_back_by == (SuppressedBy.BACK_OFF,)
    assert held.obstacles[0].reason == (
        "after 1 taken back in a row the next run may start at 2026-03-03T12:00:00.000000Z"
    )
    assert after(2 * DAY, taken_back).fired
    rejected_too = replace(taken_back, consecutive_rejections=1)
    assert after(3 * DAY, rejected_too).suppressed_by is SuppressedBy.BACK_OFF
    assert after(4 * DAY, rejected_too).fired


def test_a_version_that_proves_itself_in_service_ends_the_back_off_and_one_that_only_passes_the_gate_does_not() -> None:
    state = replace(NEW, consecutive_rejections=1, consecutive_rollbacks=2, rolled_back_at=NOW - 30 * DAY)
    promoted = run_and_end(state, RunOutcome.PROMOTED, policy(), observed(drift=drift()))
    assert promoted.setbacks == 2
    proved = trusted(promoted, NOW)
    assert proved is not None
    assert proved.setbacks == 0
    assert trusted(proved, NOW) is None


@pytest.mark.parametrize("outcome", [RunOutcome.CANARY, RunOutcome.SHADOW])
def test_a_candidate_that_is_tried_has_not_been_rejected(outcome: RunOutcome) -> None:
    state = replace(NEW, consecutive_rejections=3)
    assert run_and_end(state, outcome, policy(), observed(drift=drift())).consecutive_rejections == 0


def test_while_a_version_is_tried_a_run_waits_unless_forced() -> None:
    trial = Trial(version="v2", mode=TrialMode.CANARY, artifact_key="k", artifact_digest="d", since=NOW - DAY)
    decision, after = decide(policy(), NEW, observed(drift=drift(), trial=trial), SCHEDULED)
    assert decision.suppressed_by is SuppressedBy.UNDECIDED_TRIAL
    assert decision.obstacles[0].numbers == {
        "version": "v2",
        "mode": "canary",
        "since": "2026-02-28T12:00:00.000000Z",
    }
    assert SignalKind.DRIFT in after.demand
    assert decided(policy(), after, observed(drift=drift())).fired
    assert decided(policy(), NEW, observed(event=request(), trial=trial, force=True)).fired


def test_a_promotion_ends_the_back_off() -> None:
    state = replace(NEW, consecutive_rejections=3)
    assert run_and_end(state, RunOutcome.PROMOTED, policy(), observed(drift=drift())).consecutive_rejections == 0


def test_everything_that_holds_a_run_back_is_named_and_the_first_leads() -> None:
    rules = policy(cooldown=DAY, min_new_labels=10_000, max_runs=RunBudget(count=1, per=DAY))
    _, open_state = decide(policy(), NEW, observed(drift=drift()), SCHEDULED)
    decision = decided(rules, open_state, observed(now=NOW + HOUR, performance=performance(at=NOW + HOUR)))
    assert decision.held_back_by == (
        SuppressedBy.OPEN_RUN,
        SuppressedBy.COOLDOWN,
        SuppressedBy.RUN_BUDGET,
        SuppressedBy.MIN_NEW_LABELS,
    )


def test_force_overrides_all_but_an_open_run() -> None:
    rules = policy(cooldown=DAY, min_new_labels=10_000, max_runs=RunBudget(count=1, per=DAY), combine="all")
    state = replace(NEW, last_run_started_at=NOW, run_starts=(NOW,), consecutive_rejections=4)
    forced = observed(event=request(), force=True)
    decision, after = decide(rules, state, forced, SCHEDULED)
    assert decision.fired
    assert decision.forced
    assert decided(rules, after, forced).held_back_by == (SuppressedBy.OPEN_RUN,)


def test_a_forced_request_kept_for_later_waits_for_the_cooldown() -> None:
    rules = policy(cooldown=DAY)
    _, running = decide(rules, NEW, observed(event=request()), SCHEDULED)
    _, waiting = decide(rules, running, observed(now=NOW + HOUR, event=request(NOW + HOUR), force=True), SCHEDULED)
    free = concluded(waiting, 1, Conclusion(outcome=RunOutcome.PROMOTED, at=NOW + HOUR))
    assert free is not None
    assert decided(rules, free, observed(now=NOW + 2 * HOUR)).suppressed_by is SuppressedBy.COOLDOWN
    assert decided(rules, free, observed(now=NOW + DAY)).fired


def test_a_check_older_than_the_last_run_does_not_signal_again() -> None:
    state = run_and_end(NEW, RunOutcome.REJECTED, policy(), observed(drift=drift()))
    assert not decided(policy(), state, observed(now=NOW + HOUR, drift=drift(at=NOW))).signals
    assert decided(policy(), state, observed(now=NOW + 3 * HOUR, drift=drift(at=NOW + HOUR))).fired


def test_a_check_of_a_version_that_no_longer_serves_does_not_signal() -> None:
    assert not decided(policy(), NEW, observed(champion="v2", drift=drift(version="v1"))).signals


def test_drift_seen_during_a_run_is_answered_by_its_promotion() -> None:
    _, running = decide(policy(), NEW, observed(event=alarm()), SCHEDULED)
    seen = replace(drift(at=NOW + HOUR), summary={})
    _, waiting = decide(policy(), running, observed(now=NOW + HOUR, drift=seen), SCHEDULED)
    assert SignalKind.DRIFT in waiting.demand
    promoted = concluded(waiting, 1, Conclusion(outcome=RunOutcome.PROMOTED, at=NOW + HOUR))
    assert promoted is not None
    assert not decided(policy(), promoted, observed(now=NOW + 2 * HOUR, champion="v2", drift=seen)).signals


def test_kept_drift_stands_until_a_newer_check_finds_all_well() -> None:
    rules = policy(cooldown=30 * DAY)
    state = replace(NEW, last_run_started_at=NOW - DAY)
    _, waiting = decide(rules, state, observed(drift=drift()), SCHEDULED)
    later = NOW + HOUR
    unsure = decided(rules, waiting, observed(now=later, drift=drift(Verdict.INSUFFICIENT, at=later)))
    assert kinds(unsure) == {SignalKind.DRIFT}
    settled, after = decide(rules, waiting, observed(now=later, drift=drift(Verdict.OK, at=later)), SCHEDULED)
    assert settled.suppressed_by is SuppressedBy.NO_SIGNAL
    assert after.demand == {}
    assert worth_recording(settled, waiting)


@pytest.mark.parametrize("outcome", [RunOutcome.REJECTED, RunOutcome.STOPPED, RunOutcome.FAILED])
def test_low_performance_that_an_alarm_shows_during_a_run_fires_after_it(outcome: RunOutcome) -> None:
    _, running = decide(policy(), NEW, observed(event=request()), SCHEDULED)
    shown = observed(now=NOW + HOUR, performance=performance(at=NOW + HOUR))
    held, waiting = decide(policy(), running, shown, Occasion(cause=Cause.ALARM, event_id="stack"))
    assert (held.suppressed_by, worth_recording(held, running)) == (SuppressedBy.OPEN_RUN, True)
    assert SignalKind.PERFORMANCE in waiting.demand
    free = concluded(waiting, 1, Conclusion(outcome=outcome, at=NOW + HOUR))
    assert free is not None
    decision = decided(policy(), free, observed(now=NOW + DAY, performance=shown.check(SignalKind.PERFORMANCE)))
    assert decision.fired
    assert SignalKind.PERFORMANCE in kinds(decision)


def test_an_alarm_during_a_run_fires_after_it() -> None:
    _, running = decide(QUIET, NEW, observed(event=request()), SCHEDULED)
    _, waiting = decide(QUIET, running, observed(now=NOW + HOUR, event=alarm(NOW + HOUR)), SCHEDULED)
    free = concluded(waiting, 1, Conclusion(outcome=RunOutcome.PROMOTED, at=NOW + HOUR))
    assert free is not None
    decision = decided(QUIET, free, observed(now=NOW + 2 * HOUR))
    assert decision.fired
    assert kinds(decision) == {SignalKind.ALARM}


def test_the_schedule_of_a_run_that_failed_is_due_until_one_does_not() -> None:
    rules = policy(schedule=30 * DAY, cooldown=DAY, drift=False, performance=False)
    failed = run_and_end(NEW, RunOutcome.FAILED, rules, observed())
    held, waiting = decide(rules, failed, observed(now=NOW + HOUR), SCHEDULED)
    assert held.suppressed_by is SuppressedBy.COOLDOWN
    again, running = decide(rules, waiting, observed(now=NOW + DAY), SCHEDULED)
    assert again.fired
    assert kinds(again) == {SignalKind.SCHEDULE}
    ended = concluded(running, 2, Conclusion(outcome=RunOutcome.REJECTED, at=NOW + DAY))
    assert ended is not None
    assert not decided(rules, ended, observed(now=NOW + 2 * DAY)).signals


def test_a_schedule_taken_out_of_the_policy_is_no_longer_due_however_its_run_ended() -> None:
    failed = run_and_end(NEW, RunOutcome.FAILED, policy(schedule=DAY), observed())
    assert not decided(QUIET, failed, observed(now=NOW + HOUR)).signals


def test_a_relabelling_under_way_holds_a_run_back_unless_it_is_forced() -> None:
    during = observed(drift=drift(), relabelling="relabel-1")
    decision, waiting = decide(policy(), NEW, during, SCHEDULED)
    assert decision.held_back_by == (SuppressedBy.RELABELLING,)
    assert "relabel-1" in decision.explanation
    assert decided(policy(), waiting, observed(now=NOW + HOUR)).fired
    assert decided(policy(), NEW, observed(event=request(), force=True, relabelling="relabel-1")).fired


def test_an_alarm_older_than_the_run_is_answered_by_it() -> None:
    _, running = decide(QUIET, NEW, observed(event=alarm()), SCHEDULED)
    again = decided(QUIET, running, observed(now=NOW, event=alarm()))
    assert again.suppressed_by is SuppressedBy.NO_SIGNAL


def test_a_failed_run_gives_its_demand_back_and_the_next_check_serves_it() -> None:
    state = run_and_end(NEW, RunOutcome.FAILED, QUIET, observed(event=request()))
    decision = decided(QUIET, state, observed(now=NOW + HOUR))
    assert decision.fired
    assert decision.requested_by == "operator"
    assert decision.fencing_token == 2


def test_the_same_event_gives_the_same_decision_id_and_another_conclusion_another() -> None:
    seen, occasion = observed(event=request()), Occasion(cause=Cause.MANUAL, event_id="r1")
    first, running = decide(QUIET, NEW, seen, occasion)
    assert decide(QUIET, NEW, seen, occasion)[0].decision_id == first.decision_id
    assert decide(QUIET, running, seen, occasion)[0].decision_id != first.decision_id
    assert decide(QUIET, replace(NEW, model="car"), seen, occasion)[0].decision_id != first.decision_id


def test_a_decision_id_is_a_name_an_execution_may_have() -> None:
    decision = decided(policy(), replace(NEW, model="m" * 64), observed(drift=drift()))
    assert len(decision.decision_id) <= 80
    assert decision.decision_id.replace("-", "").isalnum()


def test_hourly_repetitions_of_one_suppression_are_recorded_once() -> None:
    rules = policy(cooldown=DAY)
    state = replace(NEW, last_run_started_at=NOW)
    first, after = decide(rules, state, observed(now=NOW + HOUR, drift=drift(at=NOW + HOUR)), SCHEDULED)
    assert worth_recording(first, state)
    later = observed(now=NOW + 2 * HOUR, drift=drift(at=NOW + 2 * HOUR))
    assert not worth_recording(decided(rules, after, later), after)
    more = observed(now=later.now, drift=drift(at=later.now), performance=performance(at=later.now))
    assert worth_recording(decided(rules, after, more), after)


def test_starts_beyond_the_budgets_period_are_forgotten() -> None:
    state = replace(NEW, run_starts=(NOW - 40 * DAY, NOW - 20 * DAY))
    _, after = decide(policy(), state, observed(drift=drift()), SCHEDULED)
    assert after.run_starts == (NOW - 20 * DAY, NOW)


def test_a_decision_comes_back_from_its_json() -> None:
    decision = decided(policy(min_new_labels=200), NEW, observed(drift=drift(), new_labels=3))
    assert Decision.from_json(decision.to_json()) == decision
    assert decision.to_json()["suppressed_by"] == "min_new_labels"


def test_a_decision_kept_by_an_earlier_release_still_reads() -> None:
    row = decided(policy(min_new_labels=200), NEW, observed(drift=drift(), new_labels=3)).to_json()
    for name in ("obstacles", "considered", "explanation"):
        del row[name]
    old = Decision.from_json(row)
    assert old.held_back_by == (SuppressedBy.MIN_NEW_LABELS,)
    assert (old.considered, old.explanation) == ((), "")

"""The limits on triggered runs: cooldown, back-off, budget, force."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hindsight.config.triggers import RunBudget
from hindsight.registry.pointer import Rollout, RolloutMode
from hindsight.triggers.decision import BlockCode, Decision
from hindsight.triggers.state import (
    RunOutcome,
    RunResult,
    TriggerState,
    finalized,
    rollback_backoff_reset,
    rolled_back,
)
from tests.unit.triggers.builders import (
    DAY,
    HOUR,
    NEW,
    NOW,
    drift,
    evaluate,
    observed,
    performance,
    policy,
    ran,
    request,
)
from tests.unit.triggers.decisions import decided, run_and_end


def test_a_volume_below_the_threshold_is_no_signal() -> None:
    assert not decided(policy(volume=1001), NEW, observed(new_labels=1000)).active_signals


def test_too_few_new_labels_hold_a_run_back() -> None:
    decision = decided(policy(min_new_labels=200), NEW, observed(drift=drift(), new_labels=199))
    assert decision.block_codes == (BlockCode.MIN_NEW_LABELS,)


def test_the_cooldown_counts_from_the_last_start() -> None:
    rules = policy(cooldown=DAY)
    state = ran(NOW)
    early = observed(now=NOW + DAY - HOUR, drift=drift(at=NOW + HOUR))
    assert decided(rules, state, early).block_codes[0] is BlockCode.COOLDOWN
    assert decided(rules, state, replace(early, now=NOW + DAY)).triggered


def test_skipped_run_starts_no_cooldown_and_no_back_off() -> None:
    rules = policy(cooldown=DAY)
    skipped = run_and_end(NEW.replace(consecutive_rejections=1), RunOutcome.SKIPPED, rules, observed(drift=drift()))
    assert decided(rules, skipped, observed(now=NOW + HOUR, drift=drift(at=NOW + HOUR))).triggered


def test_skipped_run_leaves_the_cooldown_of_the_run_before_it() -> None:
    rules = policy(cooldown=DAY)
    state = ran(NOW - HOUR)
    skipped = run_and_end(state, RunOutcome.SKIPPED, rules, observed(event=request(force=True)))
    again = observed(now=NOW + HOUR, drift=drift(at=NOW + HOUR))
    assert decided(rules, skipped, again).block_codes == (BlockCode.COOLDOWN,)
    assert decided(rules, skipped, replace(again, now=NOW + DAY - HOUR)).triggered


@pytest.mark.parametrize("outcome", [outcome for outcome in RunOutcome if outcome is not RunOutcome.SKIPPED])
def test_run_that_was_not_skipped_starts_a_cooldown(outcome: RunOutcome) -> None:
    rules = policy(cooldown=DAY)
    state = run_and_end(NEW, outcome, rules, observed(event=request()))
    assert BlockCode.COOLDOWN in decided(rules, state, observed(now=NOW + HOUR, event=request(NOW + HOUR))).block_codes


def test_the_run_budget_counts_the_runs_of_the_period() -> None:
    rules = policy(max_runs=RunBudget(count=2, per=timedelta(days=7)))
    starts = (NOW - 8 * DAY, NOW - 6 * DAY, NOW - DAY)
    state = ran(starts[-1]).replace(run_starts=starts)
    assert decided(rules, state, observed(drift=drift())).block_codes[0] is BlockCode.RUN_BUDGET
    assert decided(rules, state, observed(now=NOW + DAY + HOUR, drift=drift())).triggered


def test_rejections_in_a_row_double_the_cooldown_up_to_eight_times() -> None:
    rules = policy(cooldown=DAY)
    state = ran(NOW).replace(consecutive_rejections=2)

    def after(days: int, rejections: int) -> Decision:
        seen = observed(now=NOW + days * DAY, drift=drift(at=NOW + HOUR))
        return decided(rules, state.replace(consecutive_rejections=rejections), seen)

    assert after(0, 2).block_codes == (BlockCode.COOLDOWN, BlockCode.BACK_OFF)
    assert after(3, 2).block_codes == (BlockCode.BACK_OFF,)
    assert after(4, 2).triggered
    assert after(7, 30).block_codes[0] is BlockCode.BACK_OFF
    assert after(8, 30).triggered


def test_a_version_taken_back_doubles_the_cooldown_from_then_on() -> None:
    rules = policy(cooldown=DAY)
    taken_back = rolled_back(ran(NOW - 14 * DAY), NOW)
    assert taken_back is not None

    def after(waited: timedelta, state: TriggerState) -> Decision:
        return decided(rules, state, observed(now=NOW + waited, drift=drift(at=NOW)))

    held = after(2 * DAY - HOUR, taken_back)
    assert held.block_codes == (BlockCode.BACK_OFF,)
    assert held.blocked_by[0].reason == (
        "after 1 rolled back in a row the next run may start at 2026-03-03T12:00:00.000000Z"
    )
    assert after(2 * DAY, taken_back).triggered
    rejected_too = taken_back.replace(consecutive_rejections=1)
    assert after(3 * DAY, rejected_too).block_codes[0] is BlockCode.BACK_OFF
    assert after(4 * DAY, rejected_too).triggered


def test_a_version_that_proves_itself_in_service_ends_the_back_off_and_one_that_only_passes_the_gate_does_not() -> None:
    state = NEW.replace(consecutive_rejections=1, consecutive_rollbacks=2, rolled_back_at=NOW - 30 * DAY)
    promoted = run_and_end(state, RunOutcome.PROMOTED, policy(), observed(drift=drift()))
    assert promoted.consecutive_failures == 2
    proved = rollback_backoff_reset(promoted, NOW)
    assert proved is not None
    assert proved.consecutive_failures == 0
    assert rollback_backoff_reset(proved, NOW) is None


@pytest.mark.parametrize("outcome", [RunOutcome.CANARY, RunOutcome.SHADOW])
def test_a_candidate_that_is_tried_has_not_been_rejected(outcome: RunOutcome) -> None:
    state = NEW.replace(consecutive_rejections=3)
    assert run_and_end(state, outcome, policy(), observed(drift=drift())).consecutive_rejections == 0


def test_while_a_version_is_tried_a_run_waits_unless_forced() -> None:
    rollout = Rollout(version="v2", mode=RolloutMode.CANARY, artifact_key="k", artifact_digest="d", since=NOW - DAY)
    decision, after = evaluate(policy(), NEW, observed(drift=drift(), rollout=rollout))
    assert decision.block_codes[0] is BlockCode.UNDECIDED_ROLLOUT
    assert decision.blocked_by[0].details == {
        "version": "v2",
        "mode": "canary",
        "since": "2026-02-28T12:00:00.000000Z",
    }
    assert "drift" in after.pending_signals
    assert decided(policy(), after, observed(drift=drift())).triggered
    assert decided(policy(), NEW, observed(event=request(force=True), rollout=rollout)).triggered


def test_a_promotion_ends_the_back_off() -> None:
    state = NEW.replace(consecutive_rejections=3)
    assert run_and_end(state, RunOutcome.PROMOTED, policy(), observed(drift=drift())).consecutive_rejections == 0


def test_everything_that_holds_a_run_back_is_named_and_the_first_leads() -> None:
    rules = policy(cooldown=DAY, min_new_labels=10_000, max_runs=RunBudget(count=1, per=DAY))
    _, open_state = evaluate(policy(), NEW, observed(drift=drift()))
    decision = decided(rules, open_state, observed(now=NOW + HOUR, performance=performance(at=NOW + HOUR)))
    assert decision.block_codes == (
        BlockCode.OPEN_RUN,
        BlockCode.COOLDOWN,
        BlockCode.RUN_BUDGET,
        BlockCode.MIN_NEW_LABELS,
    )


def test_force_overrides_all_but_an_open_run() -> None:
    rules = policy(cooldown=DAY, min_new_labels=10_000, max_runs=RunBudget(count=1, per=DAY), combine="all")
    state = ran(NOW).replace(run_starts=(NOW,), consecutive_rejections=4)
    forced = observed(event=request(force=True))
    decision, after = evaluate(rules, state, forced)
    assert decision.triggered
    assert decision.forced
    assert decided(rules, after, forced).block_codes == (BlockCode.OPEN_RUN,)


def test_a_forced_request_kept_for_later_waits_for_the_cooldown() -> None:
    rules = policy(cooldown=DAY)
    _, running = evaluate(rules, NEW, observed(event=request()))
    _, waiting = evaluate(rules, running, observed(now=NOW + HOUR, event=request(NOW + HOUR, force=True)))
    free = finalized(waiting, 1, RunResult(outcome=RunOutcome.PROMOTED, at=NOW + HOUR))
    assert free is not None
    assert decided(rules, free, observed(now=NOW + 2 * HOUR)).block_codes[0] is BlockCode.COOLDOWN
    assert decided(rules, free, observed(now=NOW + DAY)).triggered


def test_a_relabelling_under_way_holds_a_run_back_unless_it_is_forced() -> None:
    during = observed(drift=drift(), relabelling="relabel-1")
    decision, waiting = evaluate(policy(), NEW, during)
    assert decision.block_codes == (BlockCode.RELABELLING,)
    assert "relabel-1" in decision.explanation
    assert decided(policy(), waiting, observed(now=NOW + HOUR)).triggered
    assert decided(policy(), NEW, observed(event=request(force=True), relabelling="relabel-1")).triggered


def test_starts_beyond_the_budgets_period_are_forgotten() -> None:
    state = NEW.replace(run_starts=(NOW - 40 * DAY, NOW - 20 * DAY))
    _, after = evaluate(policy(), state, observed(drift=drift()))
    assert after.run_starts == (NOW - 20 * DAY, NOW)

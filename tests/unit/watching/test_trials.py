"""A version that is tried: when it takes over, when it goes, and which labels say so."""

from datetime import timedelta

import numpy as np
import pytest

from hindsight.registry.pointer import TrialMode
from hindsight.rollout.evaluation.evaluate import Look, Seen, look_at_trial
from hindsight.rollout.evaluation.verdict import Outcome
from tests.unit.watching.world import (
    DAY,
    HOUR,
    NEW,
    NOW,
    OLD,
    SINCE,
    Row,
    drawn,
    records,
    rules,
    seen,
    tried,
    version,
    with_shadow,
)

WORSE = "worse beyond doubt"
REGRESSION = {"task": "regression", "training": {}, "monitoring": {}, "deployment": {}}


def canary(sight: Seen) -> Look:
    pointer, trial = tried()
    return look_at_trial(sight, pointer, trial, version(NEW))


def shadow(sight: Seen) -> Look:
    pointer, trial = tried(TrialMode.SHADOW)
    return look_at_trial(sight, pointer, trial, version(NEW))


def traffic(ours: float, champions: float = 0.88, count: int = 250, seed: int = 1) -> list[Row]:
    """A tenth of the traffic is the canary's."""
    return [*records(NEW, drawn(count, ours, seed)), *records(OLD, drawn(9 * count, champions, seed + 1000))]


def test_a_canary_as_good_as_the_champion_takes_over_once_it_has_enough_labels() -> None:
    look = canary(seen(traffic(0.88)))
    assert look.verdict.outcome is Outcome.KEEP
    assert look.measured.labels == 250
    assert "on 250 labels, the champion's" in look.verdict.reason
    assert "not worse by more than 0.05" in look.verdict.reason


def test_before_it_has_enough_labels_a_canary_waits_and_says_for_how_many() -> None:
    look = canary(seen(traffic(0.88, count=199)))
    assert look.verdict.outcome is Outcome.WAIT
    assert look.verdict.reason.endswith("decided at 200 labels")


def test_a_canary_that_is_worse_beyond_doubt_goes_before_it_has_enough_labels() -> None:
    look = canary(seen(traffic(0.4, count=60)))
    assert look.verdict.outcome is Outcome.TAKE_BACK
    assert look.verdict.reason.startswith(WORSE)
    assert look.evidence is not None
    assert look.evidence >= 20


def later(count: int, first: int) -> list[Row]:
    """More labels of the canary, all right, that come a day and a half after the first ones."""
    return records(NEW, [True] * count, SINCE + 1.5 * DAY, 6, first=first)


def test_what_was_beyond_doubt_once_stays_so() -> None:
    first = canary(seen(traffic(0.4, count=60), until=SINCE + 2 * DAY + HOUR))
    assert first.test is not None
    champions = records(OLD, [False] * 300, SINCE + 1.5 * DAY, 6, first=1000)
    better = [*traffic(0.4, count=60), *later(300, first=1000), *champions]
    look = canary(seen(better, stored=first.test))
    assert look.test is not None
    assert float(look.test.wealth.evidence) < 20
    assert look.verdict.outcome is Outcome.TAKE_BACK


def test_a_canary_measured_worse_than_allowed_is_not_decided_on_the_next_lucky_label() -> None:
    ours = [number * 21 % 50 >= 9 for number in range(200)]  # 0.82 against 0.88: more than 0.05, and not beyond doubt
    rows = [*records(NEW, ours), *records(OLD, [number % 25 > 2 for number in range(1800)])]
    early, late = SINCE + 2 * DAY + HOUR, NOW
    put_off = canary(seen(rows, until=early))
    assert put_off.verdict.outcome is Outcome.WAIT
    assert put_off.verdict.reason.endswith("decided at 400 labels")
    assert put_off.test is not None
    assert put_off.test.deferred_at == 200
    lucky = canary(seen([*rows, *later(199, first=1000)], until=late, stored=put_off.test))
    assert lucky.measured.worse_by is not None
    assert lucky.measured.worse_by < 0
    assert lucky.verdict.outcome is Outcome.WAIT
    enough = canary(seen([*rows, *later(200, first=1000)], until=late, stored=put_off.test))
    assert enough.verdict.outcome is Outcome.KEEP


def test_a_canary_whose_time_is_over_without_enough_labels_goes_and_says_so() -> None:
    late = SINCE + timedelta(days=14)
    look = canary(seen(traffic(0.9, count=50), until=late))
    assert look.verdict.outcome is Outcome.TAKE_BACK
    assert look.verdict.reason.startswith("its time is over without a decision")
    assert canary(seen(traffic(0.9, count=50), until=late - HOUR)).verdict.outcome is Outcome.WAIT
    assert canary(seen(traffic(0.9), until=late)).verdict.outcome is Outcome.KEEP


def test_looks_that_see_labels_bit_by_bit_bet_on_each_of_them_once() -> None:
    rows, stored = traffic(0.85), None
    for hours in range(24, 60):
        look = canary(seen(rows, until=SINCE + timedelta(hours=hours), stored=stored))
        stored = look.test
    assert stored is not None
    again = canary(seen(rows, until=SINCE + timedelta(hours=59), stored=stored))
    assert again.test is stored
    assert stored.rounds == pytest.approx(250, abs=2)


def test_a_label_that_is_amended_later_is_not_bet_on_again() -> None:
    rows = traffic(0.88, count=100)
    first = canary(seen(rows))
    amended = [
        {**row, "seq": 2, "value": 1 - row["value"], "known_at": "2026-03-04T06:00:00.000000Z"} for row in rows[:100]
    ]
    later = canary(seen([*rows, *amended], until=NOW + DAY, stored=first.test))
    assert first.test is not None
    assert later.test is not None
    assert later.test.rounds == first.test.rounds
    assert later.evidence == first.evidence


def test_what_was_predicted_before_the_trial_or_by_another_version_says_nothing() -> None:
    before = records(NEW, [False] * 300, SINCE - DAY, 20)
    another = records("v-other", [False] * 300)
    look = canary(seen([*traffic(0.9), *before, *another]))
    assert look.measured.labels == 250


def test_an_entity_counts_once_in_a_canary() -> None:
    """A version that drew one bad customer is not a bad version."""
    unlucky = records(NEW, [False] * 400, entity_id="unlucky")
    rows = [*traffic(0.88), *[{**row, "prediction_id": f"u{n}"} for n, row in enumerate(unlucky)]]
    look = canary(seen(rows))
    assert look.measured.labels == 251
    assert look.verdict.outcome is Outcome.KEEP


def test_both_versions_get_worse_together_and_nobody_is_to_blame() -> None:
    assert canary(seen(traffic(0.4, 0.4))).verdict.outcome is Outcome.KEEP


def test_a_shadow_is_compared_on_the_same_rows() -> None:
    champions = drawn(300, 0.6)
    rows = with_shadow(records(OLD, champions), [right or number % 50 == 0 for number, right in enumerate(champions)])
    look = shadow(seen(rows))
    assert look.verdict.outcome is Outcome.KEEP
    assert look.measured.worse_by is not None
    assert look.measured.worse_by < 0


def test_a_shadow_worse_beyond_doubt_goes() -> None:
    rows = with_shadow(records(OLD, drawn(100, 0.9)), drawn(100, 0.5, seed=2))
    look = shadow(seen(rows))
    assert look.verdict.outcome is Outcome.TAKE_BACK
    assert look.verdict.reason.startswith(WORSE)


def test_rows_that_the_shadow_did_not_answer_or_unreadably_say_nothing_of_either() -> None:
    rows = records(OLD, drawn(300, 0.9))
    answered = with_shadow(rows[:100], [True] * 100)
    of_another = with_shadow(rows[100:200], [False] * 100, of="v-other")
    broken = [{**row, "shadow": {"version": NEW, "score": None, "decision": "?"}} for row in rows[200:]]
    look = shadow(seen([*answered, *of_another, *broken]))
    assert look.measured.labels == 100
    assert "on 100 labels, the champion's" in look.measured.described


@pytest.mark.parametrize(
    ("metric", "proved"),
    [
        ("accuracy", 0.9),
        ("balanced_accuracy", 0.9),
        ("precision", 0.9),
        ("recall", 0.9),
        ("f1", 0.9),
        ("roc_auc", 0.9),
        ("log_loss", 0.35),
        ("brier", 0.09),
    ],
)
@pytest.mark.parametrize("mode", list(TrialMode))
def test_every_metric_of_a_binary_model_tells_a_good_version_from_a_bad_one(
    mode: TrialMode, metric: str, proved: float
) -> None:
    pointer, trial = tried(mode)
    known = version(NEW, metrics={metric: proved}, champion_metrics={metric: proved})
    found = []
    for ours in (0.9, 0.45):
        champions = records(OLD, drawn(5400, 0.9, seed=3))
        if mode is TrialMode.CANARY:
            rows = [*records(NEW, drawn(600, ours, seed=4)), *champions]
        else:
            rows = with_shadow(champions, drawn(5400, ours, seed=4))
        look = look_at_trial(seen(rows, of=rules(gate={"metric": metric})), pointer, trial, known)
        found.append((look.verdict.outcome, look.verdict.reason.startswith(WORSE)))
    assert found == [(Outcome.KEEP, False), (Outcome.TAKE_BACK, True)]


@pytest.mark.parametrize("metric", ["f1", "balanced_accuracy", "log_loss"])
@pytest.mark.parametrize("mode", list(TrialMode))
def test_a_multiclass_version_is_bet_on_by_its_accuracy(mode: TrialMode, metric: str) -> None:
    pointer, trial = tried(mode)
    proved = {metric: 0.9, "accuracy": 0.9}
    known = version(NEW, metrics=proved, champion_metrics=proved)
    champions = records(OLD, drawn(1000, 0.9, seed=3))
    rows = with_shadow(champions, drawn(1000, 0.5, seed=4))
    if mode is TrialMode.CANARY:
        rows = [*champions, *records(NEW, drawn(300, 0.5, seed=4))]
    look = look_at_trial(seen(rows, of=rules(task="multiclass", gate={"metric": metric})), pointer, trial, known)
    assert look.verdict.outcome is Outcome.TAKE_BACK
    assert look.verdict.reason.startswith(WORSE)


@pytest.mark.parametrize("metric", ["mae", "rmse", "r2"])
@pytest.mark.parametrize("mode", list(TrialMode))
def test_a_regression_is_bet_on_by_its_errors(mode: TrialMode, metric: str) -> None:
    pointer, trial = tried(mode)
    proved = {"mae": 0.8, "rmse": 1.0, "r2": 0.8}
    known = version(NEW, metrics=proved, champion_metrics=proved)
    rng, found = np.random.default_rng(1), []
    for spread in (1.0, 2.5):
        champions = _numbers(records(OLD, [True] * 1000), rng, 1.0)
        ours = _numbers(records(NEW if mode is TrialMode.CANARY else OLD, [True] * 1000), rng, spread)
        rows = [*champions, *ours[:300]]
        if mode is TrialMode.SHADOW:
            answers = [{"version": NEW, "score": row["decision"], "decision": row["decision"]} for row in ours]
            rows = [
                {**row, "value": other["value"], "decision": other["value"] + rng.normal(), "shadow": answer}
                for row, other, answer in zip(champions, ours, answers, strict=True)
            ]
        look = look_at_trial(seen(rows, of=rules(**REGRESSION, gate={"metric": metric})), pointer, trial, known)
        found.append(look.verdict.outcome)
    assert found == [Outcome.KEEP, Outcome.TAKE_BACK]


def _numbers(rows: list[Row], rng: np.random.Generator, spread: float) -> list[Row]:
    said = []
    for row in rows:
        value = float(rng.normal(0, 2.236))
        said.append({**row, "value": value, "decision": value + float(rng.normal(0, spread)), "score": 0.5})
    return said

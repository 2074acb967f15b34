"""A version that is tried: when it takes over, when it goes, and which labels say so."""

from datetime import timedelta

import numpy as np
import pytest

from hindsight.registry.pointer import RolloutMode
from hindsight.rollout.evaluation.evaluate import Evaluation, EvaluationInput, evaluate_rollout
from hindsight.rollout.evaluation.verdict import Measured, Outcome, Terms, decide_rollout
from tests.unit.rollout.world import (
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

WORSE = "significantly worse"
REGRESSION = {"task": "regression", "training": {}, "monitoring": {}, "deployment": {}}


def canary(given: EvaluationInput, share: float = 0.1) -> Evaluation:
    pointer, rollout = tried(share=share)
    return evaluate_rollout(given, pointer, rollout, version(NEW))


def shadow(given: EvaluationInput) -> Evaluation:
    pointer, rollout = tried(RolloutMode.SHADOW)
    return evaluate_rollout(given, pointer, rollout, version(NEW))


def traffic(ours: float, champions: float = 0.88, count: int = 250, seed: int = 1) -> list[Row]:
    """A tenth of the traffic is the canary's."""
    return [*records(NEW, drawn(count, ours, seed)), *records(OLD, drawn(9 * count, champions, seed + 1000))]


def test_canary_as_good_as_champion_is_promoted_once_that_is_shown() -> None:
    found = canary(seen(traffic(0.88, count=1_000)))
    assert found.verdict.outcome is Outcome.KEEP
    assert found.measured.labels == 1_000
    assert found.verdict.reason.startswith("significantly not worse by more than 0.05, e-value")
    assert "on 1000 labels, the champion's" in found.verdict.reason
    assert found.summary()["evidence_good"] >= 20


def test_canary_that_is_neither_shown_worse_nor_good_enough_waits_however_many_its_labels() -> None:
    found = canary(seen(traffic(0.84)))
    assert found.measured.labels == 250
    assert found.verdict.outcome is Outcome.WAIT
    assert "of the 20 needed for worse" in found.verdict.reason
    assert found.verdict.reason.endswith("of the 20 needed for not worse by more than 0.05")


def test_canary_below_min_labels_waits_and_names_their_number() -> None:
    found = canary(seen(traffic(0.88, count=199)))
    assert found.summary()["evidence_good"] >= 20
    assert found.verdict.outcome is Outcome.WAIT
    assert "; decided at 200 labels at the earliest: e-value" in found.verdict.reason


@pytest.mark.parametrize(("worse_by", "outcome"), [(0.05, Outcome.KEEP), (0.051, Outcome.WAIT), (None, Outcome.WAIT)])
def test_version_measured_worse_than_allowed_is_not_promoted_on_evidence_alone(
    worse_by: float | None, outcome: Outcome
) -> None:
    test = canary(seen(traffic(0.88, count=50))).test
    assert test is not None
    assert test.reverse is not None
    proven = test.replace(reverse=test.reverse.replace(highest=20.0))
    measured = Measured(labels=250, worse_by=worse_by, allowed=0.05, described="accuracy")
    terms = Terms(min_labels=200, confidence=0.95, deadline=NOW, undecided=Outcome.ROLL_BACK)
    assert decide_rollout(proven, measured, terms, NOW - HOUR).outcome is outcome
    unproven = test.replace(reverse=test.reverse.replace(highest=19.9))
    assert decide_rollout(unproven, measured, terms, NOW - HOUR).outcome is Outcome.WAIT


def test_significantly_worse_canary_is_aborted_before_min_labels() -> None:
    found = canary(seen(traffic(0.4, count=60)))
    assert found.verdict.outcome is Outcome.ROLL_BACK
    assert found.verdict.reason.startswith(WORSE)
    assert found.evidence is not None
    assert found.evidence >= 20


def later(count: int, first: int) -> list[Row]:
    """More labels of the canary, all right, that come a day and a half after the first ones."""
    return records(NEW, [True] * count, SINCE + 1.5 * DAY, 6, first=first)


def test_significance_once_reached_stays() -> None:
    first = canary(seen(traffic(0.4, count=60), until=SINCE + 2 * DAY + HOUR))
    assert first.test is not None
    champions = records(OLD, [False] * 300, SINCE + 1.5 * DAY, 6, first=1000)
    better = [*traffic(0.4, count=60), *later(300, first=1000), *champions]
    found = canary(seen(better, stored=first.test), share=0.3)
    assert found.test is not None
    assert float(found.test.wealth.evidence) < 20
    assert found.verdict.outcome is Outcome.ROLL_BACK


@pytest.mark.parametrize(("undecided", "outcome"), [("abort", Outcome.ROLL_BACK), ("promote", Outcome.KEEP)])
@pytest.mark.parametrize("mode", list(RolloutMode))
def test_rollout_that_is_undecided_at_max_age_ends_as_configured(
    mode: RolloutMode, undecided: str, outcome: Outcome
) -> None:
    late, of = SINCE + timedelta(days=14), rules(deployment={mode.value: {"undecided": undecided}})
    rows = traffic(0.86, count=50)
    if mode is RolloutMode.SHADOW:
        rows = with_shadow(records(OLD, drawn(50, 0.88)), drawn(50, 0.86, seed=3))
    pointer, rollout = tried(mode)
    for given in (rows, []):
        found = evaluate_rollout(seen(given, until=late, of=of), pointer, rollout, version(NEW))
        assert found.verdict.outcome is outcome
        assert found.verdict.reason.startswith("its time is over without a decision")
        before = evaluate_rollout(seen(given, until=late - HOUR, of=of), pointer, rollout, version(NEW))
        assert before.verdict.outcome is Outcome.WAIT


def test_decided_rollout_is_decided_by_its_evidence_at_max_age_too() -> None:
    late, promotes = SINCE + timedelta(days=14), rules(deployment={"canary": {"undecided": "promote"}})
    assert canary(seen(traffic(0.9), until=late)).verdict.outcome is Outcome.KEEP
    assert canary(seen(traffic(0.4), until=late, of=promotes)).verdict.outcome is Outcome.ROLL_BACK


def test_label_is_bet_on_once_across_evaluations() -> None:
    rows, stored = traffic(0.85), None
    for hours in range(24, 60):
        found = canary(seen(rows, until=SINCE + timedelta(hours=hours), stored=stored))
        stored = found.test
    assert stored is not None
    again = canary(seen(rows, until=SINCE + timedelta(hours=59), stored=stored))
    assert again.test is stored
    assert stored.rounds == pytest.approx(250, abs=2)


def test_amended_label_is_not_bet_on_again() -> None:
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


def test_predictions_before_rollout_or_of_other_versions_do_not_count() -> None:
    before = records(NEW, [False] * 300, SINCE - DAY, 20)
    another = records("v-other", [False] * 300)
    found = canary(seen([*traffic(0.9), *before, *another]))
    assert found.measured.labels == 250


def test_entity_counts_once_in_canary() -> None:
    """A version that drew one bad customer is not a bad version."""
    unlucky = records(NEW, [False] * 400, entity_id="unlucky")
    rows = [*traffic(0.9), *[{**row, "prediction_id": f"u{n}"} for n, row in enumerate(unlucky)]]
    found = canary(seen(rows))
    assert found.measured.labels == 251
    assert found.verdict.outcome is Outcome.KEEP


def test_canary_is_kept_where_both_versions_get_worse() -> None:
    assert canary(seen(traffic(0.4, 0.4, count=1_800))).verdict.outcome is Outcome.KEEP


def test_shadow_is_compared_on_the_same_rows() -> None:
    champions = drawn(300, 0.6)
    rows = with_shadow(records(OLD, champions), [right or number % 50 == 0 for number, right in enumerate(champions)])
    found = shadow(seen(rows))
    assert found.verdict.outcome is Outcome.KEEP
    assert found.measured.worse_by is not None
    assert found.measured.worse_by < 0


def test_significantly_worse_shadow_is_aborted() -> None:
    rows = with_shadow(records(OLD, drawn(100, 0.9)), drawn(100, 0.5, seed=2))
    found = shadow(seen(rows))
    assert found.verdict.outcome is Outcome.ROLL_BACK
    assert found.verdict.reason.startswith(WORSE)


def test_rows_without_readable_shadow_prediction_do_not_count() -> None:
    rows = records(OLD, drawn(300, 0.9))
    answered = with_shadow(rows[:100], [True] * 100)
    of_another = with_shadow(rows[100:200], [False] * 100, of="v-other")
    broken = [{**row, "shadow": {"version": NEW, "score": None, "decision": "?"}} for row in rows[200:]]
    found = shadow(seen([*answered, *of_another, *broken]))
    assert found.measured.labels == 100
    assert "on 100 labels, the champion's" in found.measured.described


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
@pytest.mark.parametrize("mode", list(RolloutMode))
def test_every_binary_metric_separates_good_from_bad_version(mode: RolloutMode, metric: str, proved: float) -> None:
    pointer, rollout = tried(mode, 0.25)
    known = version(NEW, metrics={metric: proved}, champion_metrics={metric: proved})
    found = []
    for ours in (0.9, 0.45):
        champions = records(OLD, drawn(5400, 0.9, seed=3))
        if mode is RolloutMode.CANARY:
            rows = [*records(NEW, drawn(1800, ours, seed=4)), *champions]
        else:
            rows = with_shadow(champions, drawn(5400, ours, seed=4))
        result = evaluate_rollout(seen(rows, of=rules(gate={"metric": metric})), pointer, rollout, known)
        found.append((result.verdict.outcome, result.verdict.reason.startswith(WORSE)))
    assert found == [(Outcome.KEEP, False), (Outcome.ROLL_BACK, True)]


@pytest.mark.parametrize("metric", ["f1", "balanced_accuracy", "log_loss"])
@pytest.mark.parametrize("mode", list(RolloutMode))
def test_multiclass_version_is_bet_on_by_accuracy(mode: RolloutMode, metric: str) -> None:
    pointer, rollout = tried(mode, 0.23)
    proved = {metric: 0.9, "accuracy": 0.9}
    known = version(NEW, metrics=proved, champion_metrics=proved)
    champions = records(OLD, drawn(1000, 0.9, seed=3))
    rows = with_shadow(champions, drawn(1000, 0.5, seed=4))
    if mode is RolloutMode.CANARY:
        rows = [*champions, *records(NEW, drawn(300, 0.5, seed=4))]
    found = evaluate_rollout(seen(rows, of=rules(task="multiclass", gate={"metric": metric})), pointer, rollout, known)
    assert found.verdict.outcome is Outcome.ROLL_BACK
    assert found.verdict.reason.startswith(WORSE)


@pytest.mark.parametrize("metric", ["mae", "rmse", "r2"])
@pytest.mark.parametrize("mode", list(RolloutMode))
def test_regression_is_bet_on_by_errors(mode: RolloutMode, metric: str) -> None:
    pointer, rollout = tried(mode, 0.23)
    proved = {"mae": 0.8, "rmse": 1.0, "r2": 0.8}
    known = version(NEW, metrics=proved, champion_metrics=proved)
    rng, found = np.random.default_rng(1), []
    for spread in (1.0, 2.5):
        champions = _numbers(records(OLD, [True] * 1000), rng, 1.0)
        ours = _numbers(records(NEW if mode is RolloutMode.CANARY else OLD, [True] * 1000), rng, spread)
        rows = [*champions, *ours[:300]]
        if mode is RolloutMode.SHADOW:
            answers = [{"version": NEW, "score": row["decision"], "decision": row["decision"]} for row in ours]
            rows = [
                {**row, "value": other["value"], "decision": other["value"] + rng.normal(), "shadow": answer}
                for row, other, answer in zip(champions, ours, answers, strict=True)
            ]
        result = evaluate_rollout(seen(rows, of=rules(**REGRESSION, gate={"metric": metric})), pointer, rollout, known)
        found.append(result.verdict.outcome)
    assert found == [Outcome.KEEP, Outcome.ROLL_BACK]


def _numbers(rows: list[Row], rng: np.random.Generator, spread: float) -> list[Row]:
    said = []
    for row in rows:
        value = float(rng.normal(0, 2.236))
        said.append({**row, "value": value, "decision": value + float(rng.normal(0, spread)), "score": 0.5})
    return said

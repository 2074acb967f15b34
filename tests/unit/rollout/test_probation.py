"""A champion on probation: held against what the one before it proved, on the same rows as its own."""

from datetime import timedelta

import pytest

from hindsight.rollout.evaluation.baseline import baseline_of
from hindsight.rollout.evaluation.evaluate import Evaluation, EvaluationInput, evaluate_probation
from hindsight.rollout.evaluation.verdict import Outcome
from tests.unit.rollout.world import (
    DAY,
    HOUR,
    NEW,
    NOW,
    OLD,
    SINCE,
    drawn,
    on_probation,
    records,
    rules,
    seen,
    version,
)


def probation(given: EvaluationInput, **known: object) -> Evaluation:
    pointer = on_probation()
    assert pointer.probation is not None
    return evaluate_probation(given, pointer, pointer.probation, version(NEW, **known))


def test_a_version_as_good_as_the_one_before_it_passes_once_it_has_enough_labels() -> None:
    assert probation(seen(records(NEW, drawn(199, 0.88)))).verdict.outcome is Outcome.WAIT
    found = probation(seen(records(NEW, drawn(250, 0.88))))
    assert found.verdict.outcome is Outcome.KEEP
    assert found.verdict.reason.endswith("on 250 labels, expected 0.8800; not worse by more than 0.05")


def test_a_version_for_which_the_world_has_turned_is_taken_back_within_a_few_dozen_labels() -> None:
    found = probation(seen(records(NEW, drawn(40, 0.1))))
    assert found.verdict.outcome is Outcome.ROLL_BACK
    assert found.verdict.reason.startswith("significantly worse")


def test_version_below_the_limit_does_not_pass_while_it_is_in_doubt() -> None:
    rights = [number * 21 % 50 >= 10 for number in range(200)]  # 0.80, and 0.83 is allowed
    found = probation(seen(records(NEW, rights)))
    assert found.verdict.outcome is Outcome.WAIT
    assert found.verdict.reason.endswith("expected 0.8800; decided at 400 labels")


def test_a_probation_without_enough_labels_ends_with_its_time_and_the_champion_stays() -> None:
    few = records(NEW, drawn(20, 0.9))
    assert probation(seen(few, until=SINCE + timedelta(days=30))).verdict.outcome is Outcome.WAIT
    found = probation(seen(few, until=SINCE + timedelta(days=31)))
    assert found.verdict.outcome is Outcome.KEEP
    assert found.verdict.reason.startswith("its time is over without a decision: accuracy")
    longer = rules(deployment={"probation": {"max_age": "P60D"}})
    assert probation(seen(few, until=SINCE + timedelta(days=31), of=longer)).verdict.outcome is Outcome.WAIT


def test_a_champion_measured_worse_than_is_allowed_goes_when_its_time_is_over() -> None:
    rights = [number * 21 % 50 >= 10 for number in range(200)]  # 0.80, and 0.83 is allowed
    found = probation(seen(records(NEW, rights), until=SINCE + timedelta(days=31)))
    assert found.verdict.outcome is Outcome.ROLL_BACK


def test_answers_of_an_earlier_time_of_service_do_not_count() -> None:
    before = records(NEW, [False] * 300, SINCE - 2 * DAY, 12, first=1000)
    assert probation(seen([*before, *records(NEW, drawn(250, 0.88))])).measured.labels == 250


def test_a_probation_begun_anew_counts_its_labels_anew() -> None:
    first = probation(seen(records(NEW, drawn(100, 0.3))))
    assert first.test is not None
    pointer = on_probation()
    assert pointer.probation is not None
    again = type(pointer.probation)(against=OLD, since=NOW)
    given = seen(records(NEW, drawn(100, 0.9), NOW, 12, first=1000), until=NOW + 2 * DAY, stored=first.test)
    found = evaluate_probation(given, pointer, again, version(NEW))
    assert found.test is not None
    assert (found.test.rounds, found.verdict.outcome) == (100, Outcome.WAIT)
    assert found.test.updates == first.test.updates


def test_another_limit_goes_on_where_the_labels_were_counted_to() -> None:
    rows = records(NEW, drawn(150, 0.8))
    first = probation(seen(rows, until=SINCE + 2 * DAY + HOUR))
    stricter = rules(deployment={"probation": {"max_drop": 0.01}})
    more = [*rows, *records(NEW, drawn(30, 0.8), SINCE + DAY + 2 * HOUR, 20, first=1000)]
    found = probation(seen(more, of=stricter, stored=first.test))
    assert found.test is not None
    assert found.test.rounds == 30
    assert found.measured.labels == 180


def test_a_champion_that_could_not_be_scored_leaves_the_version_s_own_gate_value_to_expect() -> None:
    own = baseline_of(rules(), version(NEW, compared_with=None, champion_metrics=None), OLD)
    other = baseline_of(rules(), version(NEW), "v-another")
    assert (own.expected, other.expected, baseline_of(rules(), version(NEW), OLD).expected) == (0.9, 0.9, 0.88)


def test_version_without_a_baseline_passes_with_enough_labels() -> None:
    unknown: dict[str, object] = {"metrics": {}, "compared_with": None, "champion_metrics": None}
    assert probation(seen(records(NEW, drawn(199, 0.2))), **unknown).verdict.outcome is Outcome.WAIT
    found = probation(seen(records(NEW, drawn(200, 0.2))), **unknown)
    assert found.verdict.outcome is Outcome.KEEP
    assert "nothing is known of what accuracy to expect" in found.verdict.reason


@pytest.mark.parametrize(("metric", "value"), [("precision", None), ("recall", 1.0)])
def test_against_a_champion_of_one_answer_the_balanced_accuracy_is_expected(metric: str, value: float | None) -> None:
    record = version(NEW, champion_metrics={metric: value, "balanced_accuracy": 0.5})

    found = baseline_of(rules(gate={"metric": metric}, deployment={}), record, OLD)

    assert (found.metric, found.expected) == ("balanced_accuracy", 0.5)
    assert found.scale is not None


@pytest.mark.parametrize(
    ("metric", "value", "limit"),
    [("accuracy", 0.88, 0.83), ("log_loss", 0.4, 0.48), ("brier", 0.1, 0.12)],
)
def test_without_a_setting_a_share_may_fall_by_five_points_and_a_loss_grow_by_a_fifth(
    metric: str, value: float, limit: float
) -> None:
    record = version(NEW, champion_metrics={metric: value})
    found = baseline_of(rules(gate={"metric": metric}, deployment={}), record, OLD)
    assert found.limit == pytest.approx(limit)
    assert found.scale is not None
    assert (found.scale.null, found.scale.limit) == pytest.approx((value, limit))


@pytest.mark.parametrize(("value", "least"), [(1.0, 0.9), (0.03, 0.01)])
def test_at_the_ends_of_a_metric_s_range_there_still_is_a_test(value: float, least: float) -> None:
    found = baseline_of(rules(), version(NEW, champion_metrics={"accuracy": value}), OLD)
    assert found.scale is not None
    assert 0 < least < found.scale.limit < found.scale.null < 1


def test_a_drop_of_r2_is_bet_on_by_the_mean_square_that_makes_it() -> None:
    of = rules(
        task="regression",
        training={},
        monitoring={},
        gate={"metric": "r2"},
        deployment={"probation": {"max_drop": 0.1}},
    )
    found = baseline_of(of, version(NEW, champion_metrics={"r2": 0.8, "rmse": 2.0, "mae": 1.0}), OLD)
    assert found.scale is not None
    assert found.scale.metric == "rmse"
    # From 0.8 to 0.7 the unexplained share grows from 0.2 to 0.3, and the mean square with it.
    assert (found.scale.limit / found.scale.null) ** 2 == pytest.approx(1.5)


def test_reviewed_labels_count_by_their_weight() -> None:
    """The hard rows are all reviewed, the easy ones rarely: unweighted, the version would look bad."""
    reviewed = rules(labels={"rules": [{"event": "annotation", "kind": "manual"}]}, review={"random_rate": 0.1})
    hard = records(NEW, drawn(100, 0.5, seed=2), kind="manual", selection_probability=1.0)
    easy = records(NEW, drawn(100, 0.92, seed=3), first=1000, kind="manual", selection_probability=0.1)
    found = probation(seen([*hard, *easy], of=reviewed))
    assert found.measured.worse_by is not None
    assert found.measured.worse_by < 0.05
    assert found.verdict.outcome is Outcome.WAIT
    assert found.measured.labels < 200

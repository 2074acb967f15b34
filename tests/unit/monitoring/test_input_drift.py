"""Input drift by column: unusual columns, any input at all, and the published summary."""

import numpy as np
import pytest

from hindsight.config.monitoring import DriftMethod
from hindsight.monitoring.drift.feature_verdict import DriftKind
from hindsight.monitoring.drift.input_drift import check_drift
from hindsight.monitoring.drift.recent_window import RecentRows
from hindsight.monitoring.results.check import Verdict
from hindsight.profiles.profile import Profile
from hindsight.testing.builders.configuration import configuration
from tests.unit.monitoring.windows import LEVEL, Draw, drift_of, profile_of, rows, rules, trained_on, window

METHODS = list(DriftMethod)

DISTRIBUTION, MISSING, UNSEEN, INVALID, OUT_OF_RANGE = DriftKind


@pytest.mark.parametrize("method", METHODS)
def test_rows_like_the_training_do_not_drift(method: DriftMethod) -> None:
    report = drift_of(window(), rules(method))
    assert report.verdict is Verdict.OK
    assert report.drifting == []
    assert report.score.verdict is Verdict.OK


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("feature", "draw", "kinds"),
    [
        ("temperature", lambda rng: float(rng.uniform() ** 3), {DISTRIBUTION}),
        ("temperature", lambda rng: float(rng.uniform() + 0.5), {DISTRIBUTION, OUT_OF_RANGE}),
        ("temperature", lambda rng: None if rng.uniform() < 0.5 else float(rng.uniform()), {MISSING}),
        ("temperature", lambda _: None, {MISSING}),
        ("temperature", lambda rng: "warm" if rng.uniform() < 0.5 else float(rng.uniform()), {INVALID}),
        ("temperature", lambda rng: float("nan") if rng.uniform() < 0.5 else float(rng.uniform()), {INVALID}),
        ("hour", lambda rng: str(rng.choice([8, 8, 8, 8, 8, 17])), {DISTRIBUTION}),
        ("hour", lambda rng: str(rng.choice([8, 17, 23])), {DISTRIBUTION, UNSEEN}),
        ("hour", lambda _: 23, {DISTRIBUTION, UNSEEN}),
        ("holiday", lambda rng: bool(rng.uniform() < 0.6), {DISTRIBUTION, MISSING}),
    ],
)
def test_shifted_feature_drifts_in_its_kinds_and_the_others_do_not(
    method: DriftMethod, feature: str, draw: Draw, kinds: set[DriftKind]
) -> None:
    report = drift_of(window(**{feature: draw}), rules(method))
    assert report.drifting == [feature]
    assert set(report.features[feature].drifting) == kinds
    assert report.share == pytest.approx(1 / 3)
    assert report.verdict is Verdict.DRIFT


def test_data_quality_drift_has_its_numbers_and_its_reason() -> None:
    found = drift_of(window(temperature=lambda rng: None if rng.uniform() < 0.5 else float(rng.uniform())))
    missing = found.features["temperature"].kinds[MISSING]
    assert (missing.reference, missing.limit) == (0.0, 0.05)
    assert missing.current == missing.size == pytest.approx(0.5, abs=0.05)
    assert found.features["temperature"].sentence.startswith("`temperature` is missing in 5")
    assert found.features["temperature"].sentence.endswith(" % of rows, never before")
    assert found.reason.startswith(f"{found.features['temperature'].sentence}; 1 of 3 features drift")


def test_data_quality_change_below_the_threshold_is_no_drift() -> None:
    few = window(5_000, temperature=lambda rng: None if rng.uniform() < 0.04 else float(rng.uniform()))
    found = drift_of(few).features["temperature"]
    assert found.kinds[MISSING].p_value < 1e-9
    assert found.verdict is Verdict.SUSPECT
    assert found.decisive == [MISSING]
    assert drift_of(few, rules(data_quality=0.02)).drifting == ["temperature"]


def test_better_data_quality_is_no_drift_but_fewer_missing_values_are() -> None:
    before = window(2_000, seed=7, temperature=lambda rng: float(rng.uniform() * 1.25), holiday=lambda rng: None)
    found = drift_of(window(), reference=before)
    assert OUT_OF_RANGE not in found.features["temperature"].drifting
    assert found.features["holiday"].drifting == [MISSING]


def test_share_decides_whether_the_inputs_drift() -> None:
    report = drift_of(window(hour=lambda _: "23"), rules(share=0.5))
    assert report.drifting == ["hour"]
    assert report.verdict is Verdict.SUSPECT
    said = "`hour` is in categories unknown to the training in 100 % of values, under 0.1 % expected"
    assert report.reason == f"{said}; 1 of 3 features drift"


def test_difference_that_is_small_but_significant_is_suspect() -> None:
    found = window(5_000, temperature=lambda rng: float(rng.uniform() ** 1.4))
    feature = drift_of(found).features["temperature"]
    assert feature.p_value is not None
    assert feature.p_value < LEVEL
    assert feature.verdict is Verdict.SUSPECT
    assert feature.sentence.endswith(" before (significant, but small)")


def test_difference_that_is_large_but_could_be_chance_is_suspect() -> None:
    few = configuration(monitoring={"min_rows": 10, "drift": {"threshold": 0.2}})
    found = drift_of(window(12, seed=6), few).features["temperature"]
    assert found.distance is not None
    assert found.distance > 0.2
    assert found.verdict is Verdict.SUSPECT
    assert found.sentence.endswith(" before (large, not yet significant)")


def test_significance_depends_on_the_level() -> None:
    found = window(500, temperature=lambda rng: float(rng.uniform() ** 1.6))
    at = {level: check_drift(trained_on(), found, found, rules(), level=level) for level in (1e-3, 1e-30)}
    assert at[1e-3].drifting == ["temperature"]
    assert at[1e-30].drifting == []


def test_whole_number_and_its_text_are_one_category() -> None:
    report = drift_of(window(hour=lambda rng: int(rng.choice([8, 17]))))
    assert report.features["hour"].kinds[UNSEEN].current == 0.0


def test_new_categories_among_many_rare_ones_are_expected() -> None:
    def rare(rng: np.random.Generator) -> str:
        return f"shop-{min(int(rng.zipf(1.3)), 100_000)}"

    trained, found = window(2_000, seed=11, hour=rare), window(1_000, seed=12, hour=rare)
    unseen = drift_of(found, reference=trained).features["hour"].kinds[UNSEEN]
    assert unseen.current is not None
    assert unseen.current > 0.05  # many shops were never seen in training
    assert unseen.size < 0.05
    assert unseen.p_value > 0.01


def test_score_is_judged_by_itself() -> None:
    report = drift_of(window(score=lambda rng: float(rng.uniform() ** 4)))
    assert report.score.verdict is Verdict.DRIFT
    assert report.verdict is Verdict.SUSPECT
    assert report.reason.startswith("the score is ")


def test_scores_of_other_versions_do_not_count() -> None:
    report = check_drift(trained_on(), window(), Profile.empty(), rules(), level=LEVEL)
    assert report.score.verdict is Verdict.INSUFFICIENT
    assert report.verdict is Verdict.OK


def test_too_few_rows_are_insufficient() -> None:
    report = drift_of(window(499, hour=lambda _: "23"))
    assert report.verdict is Verdict.INSUFFICIENT
    assert "499 rows" in report.reason
    assert report.drifting == []
    assert drift_of(Profile.empty()).verdict is Verdict.INSUFFICIENT


def test_sudden_shift_is_found_in_the_newest_rows_before_it_fills_the_window() -> None:
    old, new = rows(5_000, seed=1), rows(500, seed=2, temperature=lambda rng: float(rng.uniform() ** 3))
    whole = profile_of([*old, *new])
    assert drift_of(whole).drifting == []
    report = drift_of(whole, recent=RecentRows(rows=profile_of(new), week_before=window(600, seed=3)))
    assert report.drifting == ["temperature"]
    assert report.features["temperature"].recent
    assert report.features["temperature"].reason.startswith("in the newest rows `temperature` is ")
    assert (report.recent_rows, report.week_before_rows) == (500, 600)


def test_newest_rows_like_the_week_before_do_not_drift_however_far_from_training() -> None:
    whole, night = window(5_000), {"temperature": lambda rng: float(rng.uniform() ** 3), "hour": lambda _: "3"}
    recent = RecentRows(rows=window(500, seed=2, **night), week_before=window(500, seed=3, **night))
    report = drift_of(whole, recent=recent)
    assert report.drifting == []
    assert report.recent_rows == 500


def test_newest_rows_like_the_training_do_not_drift_however_far_from_the_week_before() -> None:
    odd = window(500, seed=3, temperature=lambda rng: float(rng.uniform() ** 3))
    report = drift_of(window(5_000), recent=RecentRows(rows=window(500, seed=2), week_before=odd))
    assert report.drifting == []


@pytest.mark.parametrize("way", [False, True])
def test_newest_rows_have_the_distance_to_the_closer_of_training_and_week_before(way: bool) -> None:
    def of_power(power: float, count: int) -> Profile:
        return window(count, seed=4, temperature=lambda rng: float(rng.uniform() ** power))

    far, near = of_power(0.3, 600), of_power(0.7, 600)
    reference, week_before, usual = (far, near, 0.3) if way else (near, far, 0.7)
    shifted = window(500, seed=2, temperature=lambda rng: float(rng.uniform() ** 3))
    recent = RecentRows(rows=shifted, week_before=week_before)
    report = drift_of(of_power(usual, 5_000), reference=reference, recent=recent)
    alone = drift_of(shifted, reference=near).features["temperature"]
    found = report.features["temperature"]
    assert found.recent
    assert found.distance == alone.distance
    assert found.p_value == alone.p_value


def test_newest_rows_that_are_too_few_or_usual_change_nothing() -> None:
    found = window(2_000)
    alone = drift_of(found)
    few, odd = window(100, seed=3, hour=lambda _: "23"), window(600, seed=3, hour=lambda _: "23")
    usual = window(600, seed=4)
    for new, week_before in (
        (Profile.empty(), usual),
        (few, usual),
        (usual, usual),
        (odd, few),
        (odd, Profile.empty()),
    ):
        report = drift_of(found, recent=RecentRows(rows=new, week_before=week_before))
        assert report.drifting == []
        # The features are compared with the window; sketches of the same rows are the same.
        assert report.features["temperature"].kinds == alone.features["temperature"].kinds

"""The verdict on a feature: by one corrected p-value and one level, which are the numbers it shows."""

import re

import pytest

from hindsight.config.monitoring import DriftMethod
from hindsight.monitoring.drift.drift_page import ComparedProfiles, drift_page
from hindsight.monitoring.drift.feature_drift import measure_feature
from hindsight.monitoring.drift.feature_verdict import DriftKind, FeatureDrift, KindDrift, judge_feature
from hindsight.monitoring.drift.input_drift import check_drift
from hindsight.monitoring.drift.significance import Comparisons
from hindsight.monitoring.results.check import Verdict
from hindsight.profiles.profile import Profile
from tests.unit.monitoring.test_drift_page import HEADING, Reader
from tests.unit.monitoring.windows import Draw, drift_of, rules, trained_on, window


def judged(found: Profile, feature: str, level: float) -> FeatureDrift:
    measured = measure_feature(
        trained_on().features[feature], found.features[feature], rules().features[feature], rules().monitoring
    )
    return judge_feature(measured, Comparisons([measured.p_value or 1.0], level), DriftMethod.PSI, f"`{feature}`")


def missing(share: float) -> Draw:
    return lambda rng: None if rng.uniform() < share else float(rng.uniform())


def test_missing_values_at_a_level_too_small_for_them_are_suspect_and_the_sentence_gives_their_share() -> None:
    found = window(500, temperature=missing(0.095))
    at = {level: judged(found, "temperature", level) for level in (1e-5, 1e-300)}
    assert [one.verdict for one in at.values()] == [Verdict.DRIFT, Verdict.SUSPECT]
    share = found.features["temperature"].missing / 500
    said = f"`temperature` is missing in {100 * share:.1f} % of rows, never before"
    assert [one.sentence for one in at.values()] == [said, f"{said} (large, not yet significant)"]
    assert re.search(
        r"\(large, not yet significant: .* points, limit 5; corrected p \S+, level 1.0e-300\)$", at[1e-300].reason
    )


@pytest.mark.parametrize("exponent", range(3, 60, 4))
def test_verdict_of_each_kind_follows_from_its_shown_numbers(exponent: int) -> None:
    found = window(
        600, temperature=lambda rng: float(rng.uniform() ** 1.5), hour=lambda rng: str(rng.choice([8, 8, 17]))
    )
    report = check_drift(trained_on(), found, found, rules(), level=10.0**-exponent)
    for kind in [kind for one in (*report.features.values(), report.score) for kind in one.kinds.values()]:
        of = [kind.size >= kind.limit, kind.corrected_p_value <= report.level]
        expected = Verdict.DRIFT if all(of) else Verdict.SUSPECT if any(of) else Verdict.OK
        assert kind.verdict is (expected if kind.size else Verdict.OK)


def test_kinds_of_a_feature_are_corrected_for_their_number() -> None:
    found = judged(window(500, temperature=missing(0.095)), "temperature", 1e-5)
    assert len(found.kinds) == 4
    kind = found.kinds[DriftKind.MISSING]
    assert found.corrected_p_value == kind.corrected_p_value == pytest.approx(4 * kind.p_value)


def test_sentence_is_of_a_large_kind_though_a_small_one_is_significant() -> None:
    measured = FeatureDrift(
        verdict=Verdict.OK,
        p_value=1e-30,
        kinds={
            DriftKind.MISSING: KindDrift(size=0.04, limit=0.05, p_value=1e-30, reference=0.0, current=0.04),
            DriftKind.DISTRIBUTION: KindDrift(size=0.3, limit=0.2, p_value=0.1, reference=0.1, current=0.4, bin="7"),
        },
    )
    found = judge_feature(measured, Comparisons([1e-30], 1e-5), DriftMethod.PSI, "`age`")
    assert found.verdict is Verdict.SUSPECT
    assert found.sentence == "`age` is 7 in 40 % of values, 10 % before (large, not yet significant)"
    assert found.reason.endswith(
        "; `age` is missing in 4 % of rows, never before (significant, but small: 4.0 points, "
        "limit 5; corrected p 2.0e-30, level 1.0e-05)"
    )


def test_rate_that_significantly_improved_is_ok() -> None:
    worse = window(2_000, seed=7, temperature=lambda rng: "warm" if rng.uniform() < 0.3 else float(rng.uniform()))
    found = drift_of(window(), reference=worse).features["temperature"]
    assert found.kinds[DriftKind.INVALID].corrected_p_value < 1e-20
    assert found.kinds[DriftKind.INVALID].verdict is Verdict.OK


def test_one_large_feature_makes_the_inputs_suspect_and_a_small_one_does_not() -> None:
    small = window(5_000, temperature=missing(0.04))
    assert drift_of(small, rules(share=1)).verdict is Verdict.OK
    assert drift_of(small, rules(share=1)).reason == "0 of 3 features drift, 1 suspect"
    assert drift_of(small, rules(share=0.3)).verdict is Verdict.SUSPECT
    few = window(500, temperature=missing(0.095))
    large = check_drift(trained_on(), few, few, rules(share=1), level=1e-300)
    assert large.verdict is Verdict.SUSPECT
    assert large.drifting == []
    assert large.reason.endswith(" (large, not yet significant); 0 of 3 features drift, 1 suspect")


def test_category_is_in_no_sentence() -> None:
    report = drift_of(window(hour=lambda rng: str(rng.choice([8, 8, 8, 8, 8, 17]))))
    assert report.reason == "`hour` has other shares of its categories than before; 1 of 3 features drift"


def test_summary_names_suspect_features_after_those_that_drift() -> None:
    found = window(5_000, temperature=missing(0.04), hour=lambda _: "23")
    summary = drift_of(found).summary()
    assert (summary["drifting"], summary["suspect"]) == (1, 1)
    assert {name: one["verdict"] for name, one in summary["features"].items()} == {
        "hour": "drift",
        "temperature": "suspect",
    }
    assert list(summary["features"]) == ["hour", "temperature"]
    assert summary["features"]["temperature"]["kinds"] == ["missing"]


def test_page_shows_the_corrected_p_beside_its_level_and_the_badge_of_both() -> None:
    found = window(500, temperature=missing(0.095))
    report = check_drift(trained_on(), found, found, rules(), level=1e-300)
    page = drift_page(report, ComparedProfiles(reference=trained_on(), window=found, champion_window=found), HEADING)
    Reader(page)
    [card] = re.findall(r"<h3>temperature</h3>.*?</article>", page, re.DOTALL)
    assert '<span class="badge suspect">suspect</span>' in card
    shown = report.features["temperature"].kinds[DriftKind.MISSING]
    [row] = [re.findall(r"<td>(.*?)</td>", one) for one in card.split("<tr>") if ">missing " in one]
    assert row[0] == '<strong class="suspect">missing ○</strong>'
    assert row[-3:] == ["5.0%", f"{shown.corrected_p_value:.1e}", "1.0e-300"]
    assert shown.corrected_p_value > shown.p_value
    [title] = re.findall(r"<header.*?</p>", page, re.DOTALL)
    assert "`temperature` is missing in " in title
    assert 'class="badge suspect"' in title

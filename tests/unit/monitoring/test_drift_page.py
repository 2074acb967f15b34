import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from hindsight.config.features import Feature, FeatureType
from hindsight.monitoring.drift.drift_page import MAX_SHOWN, ComparedProfiles, PageHeading, drift_page
from hindsight.monitoring.drift.input_drift import DriftReport, check_drift
from hindsight.monitoring.drift.recent_window import RecentRows
from hindsight.monitoring.results.check import CheckKind, Verdict, page_key, report_key
from hindsight.monitoring.results.svg import paired_bars
from hindsight.profiles.profile import Profile
from hindsight.profiles.reading import profile_column
from hindsight.testing.builders.configuration import configuration
from tests.unit.monitoring.windows import LEVEL, drift_of, profile_of, rows, rules, trained_on, window

NOW = datetime(2026, 3, 8, 12, tzinfo=UTC)
HEADING = PageHeading(model="bike-demand", version="v3", start=datetime(2026, 3, 1, 12, tzinfo=UTC), end=NOW)
VOID = {"meta", "rect"}


class Reader(HTMLParser):
    """A strict reader of a document: every tag that opens closes, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.texts, self.attributes = list[str](), list[str](), list[tuple[str, str | None]]()
        self._open = list[str]()
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag in VOID or self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)


def page_of(
    found: Profile, report: DriftReport | None = None, *, reference: Profile | None = None, **other: Any
) -> str:
    trained = reference or trained_on()
    drift = report or drift_of(found, reference=trained)
    return drift_page(drift, ComparedProfiles(reference=trained, window=found, champion_window=found, **other), HEADING)


def test_page_names_its_check_and_verdict() -> None:
    read = Reader(page_of(window(temperature=lambda rng: float(rng.uniform() ** 3))))
    for said in ("Drift of bike-demand", "v3", "2026-03-01 12:00 UTC to 2026-03-08 12:00 UTC", "1 of 3 features drift"):
        assert said in read.text
    assert {"1,000", "2,000", "33.3%", "1.0e-05"} <= set(read.texts)


def test_features_that_drift_come_first_with_their_numbers_and_limits() -> None:
    found = window(holiday=lambda _: None, temperature=lambda rng: float(rng.uniform() ** 3))
    report = drift_of(found)
    page = page_of(found, report)
    assert re.findall("<h3>(.*?)</h3>", page) == ["score of this version", *report.ranked]
    assert report.ranked[-1] == "hour"
    for feature in report.features.values():
        assert feature.reason in Reader(page).text
    assert {"5.0%", "0.2"} <= set(Reader(page).texts)


def test_both_distributions_are_drawn_bin_by_bin() -> None:
    page = page_of(window(hour=lambda rng: str(rng.choice([8, 17, 23]))))
    [card] = re.findall(r"<h3>hour</h3>.*?</article>", page, re.DOTALL)
    assert card.count('<rect class="reference"') == card.count('<rect class="current"') == 3
    assert re.search(r"23: 0\.00% in training, 3\d\.\d\d% now", card)


def test_names_from_data_are_escaped() -> None:
    evil = '<script>alert("x")</script>&\'"><img src=x onerror=y>'
    column = profile_column([evil, f"</svg>{evil}"] * 500, Feature(type=FeatureType.CATEGORICAL))
    known = trained_on()
    found = Profile(rows=1_000, features={evil: column}, score=known.score)
    outside = configuration(features={evil: {"type": "categorical"}}, monitoring={})
    reference = structs.replace(
        found, features={evil: profile_column(["a", "b"] * 500, Feature(type=FeatureType.CATEGORICAL))}
    )
    report = check_drift(reference, found, found, outside, level=LEVEL)
    compared = ComparedProfiles(reference=reference, window=found, champion_window=found)
    read = Reader(drift_page(report, compared, replace(HEADING, model=evil, version=evil)))
    assert {"script", "img"}.isdisjoint(read.tags)
    assert evil in read.texts
    assert not [name for name, _ in read.attributes if name.startswith("on")]


def test_page_loads_no_resource_and_runs_no_script() -> None:
    page = page_of(window())
    read = Reader(page)
    assert {"script", "link", "img", "iframe", "object"}.isdisjoint(read.tags)
    assert {name for name, _ in read.attributes}.isdisjoint({"src", "href", "style"})
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_no_row_of_the_sample_is_shown() -> None:
    found = window(2_000)
    texts = set(Reader(page_of(found)).texts)
    assert found.sample.rows
    assert texts.isdisjoint(row["prediction_id"] for row in found.sample.rows)


def test_twenty_features_are_drawn_and_all_are_listed() -> None:
    names = [f"f{index:03d}" for index in range(60)]
    many = configuration(features={name: {"type": "boolean"} for name in names}, monitoring={})
    boolean = Feature(type=FeatureType.BOOLEAN)
    known = trained_on()
    reference, found = (
        Profile(rows=1_000, features=dict.fromkeys(names, profile_column(values, boolean)), score=known.score)
        for values in ([True, False] * 500, [True] * 1_000)
    )
    page = page_of(found, check_drift(reference, found, found, many, level=LEVEL), reference=reference)
    assert page.count("<article") == MAX_SHOWN + 1
    assert all(f"<td>{name}</td>" in page for name in names)
    assert "the 20 farthest" in page


def test_many_categories_are_drawn_as_those_that_differ_most_and_the_others() -> None:
    found = window(4_000, hour=lambda rng: str(rng.integers(100)))
    reference = window(4_000, seed=5, hour=lambda rng: str(rng.integers(100)))
    [card] = re.findall(r"<h3>hour</h3>.*?</article>", page_of(found, reference=reference), re.DOTALL)
    assert card.count('<rect class="current"') == 15
    assert "86 others" in card or "87 others" in card


def test_newest_rows_are_drawn_if_they_alone_drift() -> None:
    new = profile_of(rows(500, 2, temperature=lambda rng: float(rng.uniform() ** 3)))
    found = Profile.merged([profile_of(rows(5_000, 1)), new])
    recent = RecentRows(rows=new, week_before=window(600, seed=3))
    report = drift_of(found, recent=recent)
    [card] = re.findall(r"<h3>temperature</h3>.*?</article>", page_of(found, report, recent=recent), re.DOTALL)
    shown = [float(share) for share in re.findall(r"training, ([\d.]+)% now", card)]
    assert max(shown) > 40  # of the newest rows; of the window it is below 15
    assert "in the newest rows" in card
    assert "against training and the week before" in card
    assert "<dd>600</dd>" in page_of(found, report, recent=recent)


def test_insufficient_check_gives_its_reason() -> None:
    read = Reader(page_of(window(10)))
    assert "10 rows, fewer than the 500 a verdict needs" in read.text
    nothing = Reader(page_of(window(), reference=Profile.empty()))
    assert "the training reference knows nothing of it" in nothing.text
    assert "svg" not in nothing.tags


@pytest.mark.parametrize("same", [True, False])
def test_classifier_is_shown_if_configured(same: bool) -> None:
    drawn = rows(4_000, 5)
    if not same:
        drawn = [row for row in drawn if (row["features"]["temperature"] > 0.5) is (row["features"]["hour"] == "8")]
    found = profile_of(drawn)
    report = drift_of(found, rules(multivariate=True))
    text = Reader(page_of(found, report)).text
    assert report.multivariate is not None
    assert report.multivariate.verdict is (Verdict.OK if same else Verdict.DRIFT)
    assert "All features together" in text
    assert ("AUC lost without: " in text) is not same


ANYTHING = st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=3), st.lists(st.integers(), max_size=1))


@given(st.lists(ANYTHING, max_size=20), st.lists(ANYTHING, max_size=20), st.sampled_from(FeatureType))
@settings(deadline=None)
def test_any_input_gives_a_page(before: list[Any], now: list[Any], kind: FeatureType) -> None:
    tiny = configuration(features={"f": {"type": kind.value}}, monitoring={"min_rows": 1})
    reference, found = (
        Profile(
            rows=len(values),
            features={"f": profile_column(values, tiny.features["f"])},
            score=profile_column(values, Feature(type=FeatureType.NUMERIC)),
        )
        for values in (before, now)
    )
    report = check_drift(reference, found, found, tiny, level=0.1)
    assert "Drift of bike-demand" in Reader(page_of(found, report, reference=reference)).text


def test_bars_are_as_long_as_their_shares() -> None:
    drawn = paired_bars(["a", "b"], [0.5, 0.25], [1.0, 0.0], "values")
    assert re.findall(r'width="([\d.]+)"', drawn) == ["135.0", "270.0", "67.5", "0.0"]
    Reader(paired_bars([], [], [], "nothing"))


def test_page_is_stored_beside_its_report() -> None:
    assert page_key("m", NOW) == report_key("m", CheckKind.DRIFT, NOW).replace(".json", ".html")

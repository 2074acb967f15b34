"""The page of a drift check: training and current data side by side, the worst feature first."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from hindsight.core.errors import shortened
from hindsight.monitoring.drift.bins import Bins, common_bins
from hindsight.monitoring.drift.domain_classifier import DomainReport
from hindsight.monitoring.drift.feature_verdict import DriftKind, FeatureDrift
from hindsight.monitoring.drift.input_drift import DriftReport
from hindsight.monitoring.drift.recent_window import RecentRows
from hindsight.monitoring.results.check import Verdict
from hindsight.monitoring.results.page import chance, moment, number, percent, render, thousands
from hindsight.monitoring.results.svg import paired_bars
from hindsight.profiles.column import ColumnProfile
from hindsight.profiles.profile import Profile

if TYPE_CHECKING:
    from markupsafe import Markup

MAX_SHOWN = 20
_MAX_BINS = 15
_LABELS = {
    DriftKind.MISSING: "missing",
    DriftKind.UNSEEN: "unseen categories",
    DriftKind.INVALID: "of another type",
    DriftKind.OUT_OF_RANGE: "out of range",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageHeading:
    """The model, version and window of the check on a page."""

    model: str
    version: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedProfiles:
    """The profiles that a check compared."""

    reference: Profile
    window: Profile
    champion_window: Profile
    recent: RecentRows | None = None


@dataclass(frozen=True, slots=True)
class FeatureCard:
    """A feature on the page, with the chart of its two distributions if they can be compared."""

    name: str
    feature: FeatureDrift
    chart: "Markup | None"


def drift_page(report: DriftReport, compared: ComparedProfiles, heading: PageHeading) -> str:
    """Render the page of a check, one HTML document.

    It shows bins, rates and category names, never a row. All data in it is escaped.
    """
    shown = [name for name in report.ranked if report.features[name].verdict is not Verdict.INSUFFICIENT][:MAX_SHOWN]
    score = _card("score of this version", report.score, compared.reference.score, compared.champion_window.score)
    return render(
        "monitoring/drift/drift_page.html.j2",
        report=report,
        heading=heading,
        header=_header(report, heading),
        score=score,
        multivariate=[] if report.multivariate is None else _multivariate(report.multivariate, report.level),
        cards=[_feature_card(report, compared, name) for name in shown],
        labels=_LABELS,
    )


def _header(report: DriftReport, heading: PageHeading) -> list[tuple[str, str]]:
    recent = [
        ("newest rows, looked at apart", thousands(report.recent_rows)),
        ("rows of the same hours a week before", thousands(report.week_before_rows)),
    ]
    return [
        ("version", heading.version),
        ("window", f"{moment(heading.start)} to {moment(heading.end)}"),
        ("rows", thousands(report.rows)),
        *(recent if report.recent_rows else []),
        ("rows trained on", thousands(report.reference_rows)),
        ("features that drift", percent(report.share)),
        *([("features that are suspect", percent(report.suspect_share))] if report.suspect_share else []),
        *([("known changes", ", ".join(report.known_changes))] if report.known_changes else []),
        *([("not compared", shortened(", ".join(report.ignored)))] if report.ignored else []),
        ("distance", report.method.replace("_", " ")),
        ("significance level of this check", number(report.level)),
    ]


def _multivariate(found: DomainReport, level: float) -> list[tuple[str, str]]:
    return [
        ("AUC, of training against window", number(found.auc)),
        ("limit", number(found.limit)),
        ("corrected p", chance(found.corrected_p_value)),
        ("level", number(level)),
        ("rows sampled, training and window", f"{found.reference_rows:,} and {found.rows:,}"),
    ]


def _feature_card(report: DriftReport, compared: ComparedProfiles, name: str) -> FeatureCard:
    feature = report.features[name]
    window = compared.recent.rows if feature.recent and compared.recent is not None else compared.window
    return _card(name, feature, compared.reference.features.get(name), window.features.get(name))


def _card(
    name: str, feature: FeatureDrift, reference: ColumnProfile | None, current: ColumnProfile | None
) -> FeatureCard:
    if feature.verdict is Verdict.INSUFFICIENT or reference is None or current is None:
        return FeatureCard(name, feature, None)
    return FeatureCard(name, feature, _chart(name, common_bins(reference, current)))


def _chart(name: str, bins: Bins) -> "Markup":
    """Draw the bins as bars; with many categories those that differ most, and the others as one."""
    reference, current = bins.shares
    if len(bins.names) <= _MAX_BINS:
        return paired_bars(bins.names, reference.tolist(), current.tolist(), f"values of {name}")
    farthest = np.sort(np.argsort(-np.abs(reference - current), kind="stable")[: _MAX_BINS - 1])
    others = np.setdiff1d(np.arange(len(bins.names)), farthest)
    before, now = ([*side[farthest].tolist(), float(side[others].sum())] for side in (reference, current))
    names = [*(bins.names[place] for place in farthest), f"{len(others)} others"]
    return paired_bars(names, before, now, f"values of {name}")

"""The page of a drift check: training and current data side by side, the worst feature first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape

import numpy as np

from hindsight.monitoring.drift.bins import Bins, common_bins
from hindsight.monitoring.drift.domain_classifier import DomainReport
from hindsight.monitoring.drift.feature_drift import DriftKind, FeatureDrift, KindDrift
from hindsight.monitoring.drift.input_drift import DriftReport
from hindsight.monitoring.drift.recent_window import RecentRows
from hindsight.monitoring.results.check import Verdict
from hindsight.monitoring.results.page import badge, chance, document, facts, number, percent, table
from hindsight.monitoring.results.svg import paired_bars
from hindsight.profiles.column import ColumnProfile
from hindsight.profiles.profile import Profile

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


def drift_page(report: DriftReport, compared: ComparedProfiles, heading: PageHeading) -> str:
    """Render the page of a check, one HTML document.

    It shows bins, rates and category names, never a row. Everything that came from outside is escaped.
    """
    sections = [_header(report, heading), _legend(), "<h2>Score</h2>", _score(report, compared)]
    if report.multivariate is not None:
        sections += ["<h2>All features together</h2>", _multivariate(report.multivariate)]
    shown = [name for name in report.ranked if report.features[name].verdict is not Verdict.INSUFFICIENT][:MAX_SHOWN]
    if shown:
        more = "" if len(shown) == len(report.features) else f", the {len(shown)} farthest"
        sections += [f"<h2>Features{more}</h2>", _cards(report, compared, shown)]
    sections += ["<h2>All features</h2>", f'<div class="card">{_overview(report)}</div>']
    return document(f"Drift of {heading.model}, {_moment(heading.end)}", sections)


def _header(report: DriftReport, heading: PageHeading) -> str:
    recent = [
        ("newest rows, looked at apart", f"{report.recent_rows:,}"),
        ("rows of the same hours a week before", f"{report.week_before_rows:,}"),
    ]
    told = facts(
        [
            ("version", heading.version),
            ("window", f"{_moment(heading.start)} to {_moment(heading.end)}"),
            ("rows", f"{report.rows:,}"),
            *(recent if report.recent_rows else []),
            ("rows trained on", f"{report.reference_rows:,}"),
            ("features that drift", percent(report.share)),
            ("distance", report.method.replace("_", " ")),
            ("significance level of this check", number(report.level)),
        ]
    )
    title = f"<h1>Drift of {escape(heading.model)}</h1>{badge(report.verdict)}"
    return f'<header class="card"><div class="title">{title}</div><p>{escape(report.reason)}</p>{told}</header>'


def _legend() -> str:
    return (
        '<p class="soft">Share of the rows with a value: <span class="key reference"></span>in training'
        '<span class="key current"></span>now. A difference that reaches its limit and is significant is drift (●). '
        "The newest rows by themselves must differ from the same hours a week before as well; told are the difference "
        "and p-value from the closer of the two.</p>"
    )


def _score(report: DriftReport, compared: ComparedProfiles) -> str:
    sides = compared.reference.score, compared.champion_window.score
    return f'<div class="cards">{_card("score of this version", report.score, *sides)}</div>'


def _multivariate(found: DomainReport) -> str:
    told = facts(
        [
            ("AUC, of training against window", number(found.auc)),
            ("limit", number(found.limit)),
            ("p-value", chance(found.p_value)),
            ("rows sampled, training and window", f"{found.reference_rows:,} and {found.rows:,}"),
        ]
    )
    importance = ", ".join(f"{escape(name)} ({lost:.2f})" for name, lost in found.importance.items())
    most = (
        f'<p class="soft">AUC lost without: {importance}</p>' if found.verdict is Verdict.DRIFT and importance else ""
    )
    reason = escape(found.reason or "a classifier cannot tell the window's rows from the training's")
    return f'<div class="card"><div class="title"><p>{reason}</p>{badge(found.verdict)}</div>{told}{most}</div>'


def _cards(report: DriftReport, compared: ComparedProfiles, names: Iterable[str]) -> str:
    cards = []
    for name in names:
        feature = report.features[name]
        window = compared.recent.rows if feature.recent and compared.recent is not None else compared.window
        cards.append(_card(name, feature, compared.reference.features.get(name), window.features.get(name)))
    return f'<div class="cards">{"".join(cards)}</div>'


def _card(name: str, found: FeatureDrift, reference: ColumnProfile | None, current: ColumnProfile | None) -> str:
    reason = f"<p>{escape(found.reason)}</p>" if found.reason else ""
    chart = ""
    if found.verdict is not Verdict.INSUFFICIENT and reference is not None and current is not None:
        chart = _chart(name, common_bins(reference, current))
    return (
        f'<article class="card"><div class="title"><h3>{escape(name)}</h3>{badge(found.verdict)}</div>'
        f"{reason}{chart}{_kinds(found.kinds)}</article>"
    )


def _chart(name: str, bins: Bins) -> str:
    """Draw the bins as bars; of many categories those that differ most, and the others as one."""
    reference, current = bins.shares
    if len(bins.names) <= _MAX_BINS:
        return paired_bars(bins.names, reference.tolist(), current.tolist(), f"values of {name}")
    farthest = np.sort(np.argsort(-np.abs(reference - current), kind="stable")[: _MAX_BINS - 1])
    others = np.setdiff1d(np.arange(len(bins.names)), farthest)
    before, now = ([*side[farthest].tolist(), float(side[others].sum())] for side in (reference, current))
    names = [*(bins.names[place] for place in farthest), f"{len(others)} others"]
    return paired_bars(names, before, now, f"values of {name}")


def _kinds(kinds: Mapping[DriftKind, KindDrift]) -> str:
    if not kinds:
        return ""
    rows = [
        (
            _marked(_LABELS.get(kind, "distance"), found),
            percent(found.reference),
            percent(found.current),
            number(found.size) if kind is DriftKind.DISTRIBUTION else percent(found.size),
            number(found.limit) if kind is DriftKind.DISTRIBUTION else percent(found.limit),
            chance(found.p_value),
        )
        for kind, found in kinds.items()
    ]
    return table(["", "in training", "now", "difference", "limit", "p-value"], rows)


def _marked(label: str, found: KindDrift) -> str:
    return f'<strong class="drift">{label} ●</strong>' if found.drifts else label


def _overview(report: DriftReport) -> str:
    rows = [_overview_row(name, report.features[name]) for name in report.ranked]
    headings = ["feature", "verdict", "distance", "p-value", "missing", "unseen", "type", "range", "why"]
    return table(headings, rows, reason_last=True)


def _overview_row(name: str, found: FeatureDrift) -> list[str]:
    rates = [_change(found.kinds.get(kind)) for kind in _LABELS]
    values = found.kinds.get(DriftKind.DISTRIBUTION)
    distance = "–" if values is None else _marked(number(values.size), values)
    return [escape(name), badge(found.verdict), distance, chance(found.p_value), *rates, escape(found.reason)]


def _change(found: KindDrift | None) -> str:
    if found is None:
        return "–"
    before, now = percent(found.reference), percent(found.current)
    return _marked(now if before == now else f"{before} → {now}", found)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"

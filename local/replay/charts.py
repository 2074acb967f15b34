"""The report's charts, as SVG text or PNG files."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl

mpl.use("Agg")  # a report needs no screen

from matplotlib import dates
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LIVE, STATIC, PERSISTENCE, LIMIT = "#0b6e4f", "#b23a48", "#8a8f98", "#d9822b"
PROMOTED, REJECTED = "#0b6e4f", "#b23a48"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of scores by period."""

    name: str
    values: Mapping[str, float]
    color: str
    style: str = "-"


@dataclass(frozen=True, slots=True)
class Run:
    """One retraining run on the time axis."""

    at: datetime
    outcome: str


@dataclass(frozen=True, slots=True)
class Point:
    """A value at a time."""

    at: datetime
    value: float


def monthly_chart(
    live: Mapping[str, float], static: Mapping[str, float], persistence: Mapping[str, float], ylabel: str
) -> "Figure":
    """Plot live, static and persistence scores by month."""
    lines = [
        Line("live: watched, retrained, proven", live, LIVE),
        Line("static: the first version, never retrained", static, STATIC),
        Line("same as the last row", persistence, PERSISTENCE, ":"),
    ]
    return period_chart(sorted(live), lines, ylabel)


def period_chart(periods: Sequence[str], lines: Sequence[Line], ylabel: str, xlabel: str = "") -> "Figure":
    """Plot lines of scores by period; a period without a score is a gap."""
    figure, axes = line_axes(ylabel)
    scale = 100 if ylabel.endswith("%") else 1
    for line in lines:
        shown = [line.values.get(period, float("nan")) * scale for period in periods]
        axes.plot(periods, shown, line.style, color=line.color, label=line.name, marker="o", markersize=4, linewidth=2)
    axes.set_xlabel(xlabel)
    figure.legend(loc="outside upper left", ncols=3, frameon=False)
    return figure


def timeline_chart(
    points: Sequence[Point], limit: float | None, runs: Sequence[Run], ylabel: str, limit_name: str
) -> "Figure":
    """Plot a value over time with its limit, and each run as a mark where it started."""
    figure, axes = line_axes(ylabel)
    axes.plot([_on_axis(point.at) for point in points], [point.value for point in points], color=LIVE, linewidth=1.6)
    if limit is not None:
        axes.axhline(limit, color=LIMIT, linewidth=1.2, linestyle="--", label=limit_name)
    for outcome, color, label in (("promoted", PROMOTED, "promoted"), ("rejected", REJECTED, "rejected")):
        moments = [run.at for run in runs if run.outcome == outcome]
        for position, moment in enumerate(moments):
            axes.axvline(
                _on_axis(moment), color=color, alpha=0.35, linewidth=1.2, label=label if position == 0 else None
            )
    axes.xaxis_date()
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(dates.AutoDateLocator()))  # type: ignore[no-untyped-call]
    if axes.get_legend_handles_labels()[1]:
        figure.legend(loc="outside upper left", ncols=3, frameon=False)
    return figure


def as_svg(figure: "Figure") -> str:
    """Render a figure as an SVG element, and close it."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    plt.close(figure)
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def save_png(figure: "Figure", path: Path) -> None:
    """Write a figure as a PNG file, and close it."""
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _on_axis(moment: datetime) -> float:
    return float(dates.date2num(moment))  # type: ignore[no-untyped-call]


def line_axes(ylabel: str) -> tuple["Figure", "Axes"]:
    """Build a figure for lines, in the style of all."""
    plt.rcParams.update({"font.family": "sans-serif", "font.size": 10, "svg.fonttype": "none", "svg.hashsalt": "0"})
    figure, axes = plt.subplots(figsize=(9, 3.6), layout="constrained")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e5e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_ylabel(ylabel)
    return figure, axes

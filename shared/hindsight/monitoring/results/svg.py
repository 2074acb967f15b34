"""Bars as inline SVG: two shares a bin, side by side. Colours come from the page's style."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hindsight.monitoring.results.page import render

if TYPE_CHECKING:
    from markupsafe import Markup

_ROW, _BAR, _GAP = 30, 11, 2
_LABELS, _BARS, _NUMBERS = 150, 270, 60
_MAX_LABEL_LENGTH = 22

WIDTH = _LABELS + _BARS + _NUMBERS


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of one side's share, with its place and size."""

    side: str
    share: float
    y: int
    width: float
    x: int = _LABELS
    height: int = _BAR


@dataclass(frozen=True, slots=True)
class BarPair:
    """The bars of a bin under its label."""

    title: str
    label: str
    label_y: int
    bars: tuple[Bar, Bar]


def paired_bars(
    names: Sequence[str], reference: Sequence[float], current: Sequence[float], description: str
) -> "Markup":
    """Draw a chart with a row for each bin: its name, the reference's share above the current one.

    Names are data; they are escaped, and cut where they are long.
    """
    longest = max(*reference, *current, 1e-9) if names else 1.0
    rows = [
        _pair(place, name, (before, now), longest)
        for place, (name, before, now) in enumerate(zip(names, reference, current, strict=True))
    ]
    return render(
        "monitoring/results/svg.html.j2",
        width=WIDTH,
        height=_ROW * max(len(names), 1),
        label_x=_LABELS - 8,
        description=description,
        rows=rows,
    )


def _pair(place: int, name: str, shares: tuple[float, float], longest: float) -> BarPair:
    top = place * _ROW + (_ROW - 2 * _BAR - _GAP) // 2
    reference, current = shares
    return BarPair(
        title=f"{name}: {reference:.2%} in training, {current:.2%} now",
        label=name if len(name) <= _MAX_LABEL_LENGTH else f"{name[: _MAX_LABEL_LENGTH - 1]}…",
        label_y=top + _BAR + _GAP,
        bars=(
            Bar("reference", reference, top, reference / longest * _BARS),
            Bar("current", current, top + _BAR + _GAP, current / longest * _BARS),
        ),
    )

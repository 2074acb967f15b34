"""Bars as inline SVG: two shares a bin, side by side. Colours come from the page's style."""

from collections.abc import Sequence
from html import escape

_ROW, _BAR, _GAP = 30, 11, 2
_LABELS, _BARS, _NUMBERS = 150, 270, 60
_MAX_LABEL_LENGTH = 22

WIDTH = _LABELS + _BARS + _NUMBERS


def paired_bars(names: Sequence[str], reference: Sequence[float], current: Sequence[float], description: str) -> str:
    """Return a chart with a row for each bin: its name, the reference's share above the current one.

    Names come from outside; they are escaped, and cut where they are long.
    """
    longest = max(*reference, *current, 1e-9) if names else 1.0
    rows = "".join(
        _row(place, name, (before, now), longest)
        for place, (name, before, now) in enumerate(zip(names, reference, current, strict=True))
    )
    height = _ROW * max(len(names), 1)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(description)}" '
        f'xmlns="http://www.w3.org/2000/svg">{rows}</svg>'
    )


def _row(place: int, name: str, shares: tuple[float, float], longest: float) -> str:
    top = place * _ROW + (_ROW - 2 * _BAR - _GAP) // 2
    bars = "".join(
        _bar(top + line * (_BAR + _GAP), share, longest, side)
        for line, (share, side) in enumerate(zip(shares, ("reference", "current"), strict=True))
    )
    shown = name if len(name) <= _MAX_LABEL_LENGTH else f"{name[: _MAX_LABEL_LENGTH - 1]}…"
    told = f"{escape(name)}: {shares[0]:.2%} in training, {shares[1]:.2%} now"
    label = f'<text x="{_LABELS - 8}" y="{top + _BAR + _GAP}" text-anchor="end">{escape(shown)}</text>'
    return f"<g><title>{told}</title>{label}{bars}</g>"


def _bar(top: int, share: float, longest: float, side: str) -> str:
    width = share / longest * _BARS
    return (
        f'<rect class="{side}" x="{_LABELS}" y="{top}" width="{width:.1f}" height="{_BAR}" rx="1.5"/>'
        f'<text class="share" x="{_LABELS + width + 5:.1f}" y="{top + _BAR - 2}">{share:.1%}</text>'
    )

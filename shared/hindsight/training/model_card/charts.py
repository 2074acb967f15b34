"""The charts of a model card as inline SVG: intervals, bars, and a reliability diagram. Colours are the page's."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_ROW = 26
_LABELS, _BARS, _NUMBERS = 260, 300, 150
_LONGEST_LABEL = 36
_SIDE, _MARGIN = 300, 42


def intervals(rows: Sequence[tuple[str, Mapping[str, float | None]]], description: str) -> str:
    """Draw a row for each name: its value as a dot on the line from lower to upper bound, on one scale for all."""
    bounds = [value for _, row in rows for value in row.values() if value is not None]
    if not bounds:
        return ""
    low, high = min(bounds), max(bounds)
    span = (high - low) or 1.0

    def place(value: float) -> float:
        return _LABELS + (value - low) / span * _BARS

    body = "".join(_interval(line, name, row, place) for line, (name, row) in enumerate(rows))
    return _svg(_LABELS + _BARS + _NUMBERS, _ROW * len(rows), description, body)


def bars(rows: Sequence[tuple[str, float, float]], description: str) -> str:
    """Draw a bar for each name, from zero, with its spread as a whisker."""
    greatest = max((value + spread for _, value, spread in rows), default=0.0)
    least = min(0.0, min((value - spread for _, value, spread in rows), default=0.0))
    span = (max(greatest, 0.0) - least) or 1.0
    body = ""
    for line, (name, value, spread) in enumerate(rows):
        middle = line * _ROW + _ROW / 2
        zero, end = (_LABELS + (at - least) / span * _BARS for at in (0.0, value))
        body += _label(line, name)
        body += (
            f'<rect class="current" x="{min(zero, end):.1f}" y="{middle - 6:.1f}" width="{abs(end - zero):.1f}" '
            'height="12" rx="1.5"/>'
        )
        reach = spread / span * _BARS
        body += _line((end - reach, middle), (end + reach, middle), "var(--ink)", 1.0)
        body += _number(line, f"{value:.4f} ± {spread:.4f}")
    return _svg(_LABELS + _BARS + _NUMBERS, _ROW * len(rows), description, body)


def reliability_diagram(bins: Sequence[Mapping[str, Any]]) -> str:
    """Draw the share that turned out by the score, with its interval; on the diagonal both are the same."""

    def at(score: float, share: float) -> tuple[float, float]:
        return _MARGIN + score * _SIDE, 12 + (1 - share) * _SIDE

    (left, bottom), (right, top) = at(0, 0), at(1, 1)
    body = f'<rect x="{left}" y="{top}" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="var(--line)"/>'
    body += _line((left, bottom), (right, top), "var(--reference)", 1.0, dashes="4 4")
    for tick in (0.0, 0.5, 1.0):
        x, y = at(tick, tick)
        body += f'<text class="share" x="{x:.1f}" y="{bottom + 14:.1f}" text-anchor="middle">{tick:g}</text>'
        body += f'<text class="share" x="{left - 6:.1f}" y="{y + 3:.1f}" text-anchor="end">{tick:g}</text>'
    body += f'<text x="{(left + right) / 2}" y="{bottom + 30}" text-anchor="middle">score</text>'
    middle = (top + bottom) / 2
    turned = f'text-anchor="middle" transform="rotate(-90 12 {middle})"'
    body += f'<text x="12" y="{middle}" {turned}>share that turned out</text>'
    points = [at(one["score"], one["observed"]) for one in bins]
    body += f'<polyline fill="none" stroke="var(--current)" stroke-width="1.5" points="{_points(points)}"/>'
    for one in bins:
        x, y = at(one["score"], one["observed"])
        low, high = at(one["score"], one["lower"])[1], at(one["score"], one["upper"])[1]
        title = f"score {one['score']:.3f}: {one['observed']:.1%} of {one['labels']:,} labels"
        body += f"<g><title>{title}</title>{_line((x, low), (x, high), 'var(--current)', 1.0)}"
        body += f'<circle class="current" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/></g>'
    return _svg(_SIDE + _MARGIN + 20, _SIDE + 50, "reliability diagram", body)


def _interval(line: int, name: str, row: Mapping[str, float | None], place: Any) -> str:
    middle = line * _ROW + _ROW / 2
    value, lower, upper = row["value"], row["lower"], row["upper"]
    if value is None:
        return _label(line, name) + _number(line, "–")
    drawn = ""
    shown = f"{value:.4f}"
    if lower is not None and upper is not None:
        drawn = _line((place(lower), middle), (place(upper), middle), "var(--current)", 2.0)
        shown = f"{value:.3f}  ({lower:.3f} to {upper:.3f})"
    drawn += f'<circle class="current" cx="{place(value):.1f}" cy="{middle:.1f}" r="4"/>'
    return _label(line, name) + drawn + _number(line, shown)


def _label(line: int, name: str) -> str:
    shown = name if len(name) <= _LONGEST_LABEL else f"{name[: _LONGEST_LABEL - 1]}…"
    y = line * _ROW + _ROW / 2 + 4
    return f'<text x="{_LABELS - 12}" y="{y:.1f}" text-anchor="end"><title>{escape(name)}</title>{escape(shown)}</text>'


def _number(line: int, text: str) -> str:
    y = line * _ROW + _ROW / 2 + 3.5
    return f'<text class="share" x="{_LABELS + _BARS + 12}" y="{y:.1f}">{escape(text)}</text>'


def _line(start: tuple[float, float], end: tuple[float, float], colour: str, width: float, dashes: str = "") -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    places = f'x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"'
    return f'<line {places} stroke="{colour}" stroke-width="{width:g}"{dashed}/>'


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _svg(width: float, height: float, description: str, body: str) -> str:
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(description)}" '
        f'style="max-width: {width:g}px" xmlns="http://www.w3.org/2000/svg">{body}</svg>'
    )

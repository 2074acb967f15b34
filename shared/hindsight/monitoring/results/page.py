"""The frame of a page for a person: one HTML document that needs nothing else, in light or dark."""

from collections.abc import Iterable, Sequence
from html import escape
from string import Template

from hindsight.monitoring.results.check import Verdict

_STYLE = """
:root { color-scheme: light dark; --paper: #f6f7f9; --card: #fff; --ink: #1c2430; --soft: #5d6877; --line: #dfe3e8;
  --reference: #9aa5b4; --current: #2563c9; --ok: #17703f; --drift: #b3261e; --insufficient: #6b5a12; }
@media (prefers-color-scheme: dark) { :root { --paper: #12161c; --card: #1b212a; --ink: #e7ebf0; --soft: #9aa6b5;
  --line: #303946; --reference: #66717f; --current: #6ea3ff; --ok: #63cf92; --drift: #ff8a80;
  --insufficient: #e0c65b; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem clamp(1rem, 4vw, 3rem); background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 76rem; margin: 0 auto; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .8rem; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
p { margin: .3rem 0; } .soft, dt { color: var(--soft); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem 1.2rem;
  min-width: 0; }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); }
.title { display: flex; gap: .7rem; align-items: baseline; justify-content: space-between; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .6rem 1.5rem; margin: 1rem 0 0; }
dt { font-size: .85rem; } dd { margin: 0; overflow-wrap: anywhere; }
.badge { border: 1px solid currentColor; border-radius: 99px; padding: 0 .6rem; font-size: .85rem; font-weight: 600;
  white-space: nowrap; }
.ok { color: var(--ok); } .drift { color: var(--drift); } .insufficient { color: var(--insufficient); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .84rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .35rem; border-top: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 500; border-top: 0; }
th:first-child, td:first-child { text-align: left; padding-left: 0; white-space: normal; overflow-wrap: anywhere;
  min-width: 5.5rem; }
td.reason { text-align: left; white-space: normal; min-width: 10rem; } th:last-child.reason { text-align: left; }
svg { display: block; width: 100%; max-width: 34rem; height: auto; margin: .8rem 0; }
svg text { font-size: 11px; fill: var(--ink); } svg .share { font-size: 9.5px; fill: var(--soft); }
.reference { fill: var(--reference); background: var(--reference); }
.current { fill: var(--current); background: var(--current); }
.key { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; margin: 0 .35rem 0 .9rem; }
"""

_DOCUMENT = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>$title</title>
<style>$style</style>
</head>
<body><main>
$body
</main></body>
</html>
""")


def document(title: str, sections: Iterable[str]) -> str:
    """Return a page of sections, which are HTML; the title is text."""
    return _DOCUMENT.substitute(title=escape(title), style=_STYLE, body="\n".join(sections))


def badge(verdict: Verdict) -> str:
    """Return a verdict as a badge, which tells it by word and by colour.

    >>> badge(Verdict.OK)
    '<span class="badge ok">ok</span>'
    """
    return f'<span class="badge {verdict}">{verdict}</span>'


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, reason_last: bool = False) -> str:
    """Return a table of cells that are HTML, under headings that are text."""
    attributes = ["" for _ in headings]
    if reason_last:
        attributes[-1] = ' class="reason"'
    head = "".join(f"<th{kind}>{escape(text)}</th>" for kind, text in zip(attributes, headings, strict=True))
    body = "".join(
        f"<tr>{''.join(f'<td{kind}>{cell}</td>' for kind, cell in zip(attributes, row, strict=True))}</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return named facts, both texts."""
    return (
        "<dl>" + "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(fact)}</dd></div>" for name, fact in pairs) + "</dl>"
    )


def number(value: float | None) -> str:
    """Return a number in few digits, a dash where there is none.

    >>> number(0.123456), number(2.5e-11), number(0.0), number(None)
    ('0.123', '2.5e-11', '0', '–')
    """
    if value is None:
        return "–"
    return f"{value:.3g}" if value == 0 or abs(value) >= 1e-3 else f"{value:.1e}"


def chance(p_value: float | None) -> str:
    """Return a p-value, which is never quite nothing.

    >>> chance(2.5e-11), chance(0.0)
    ('2.5e-11', '< 1e-300')
    """
    return "< 1e-300" if p_value is not None and p_value < 1e-300 else number(p_value)


def percent(value: float | None) -> str:
    """Return a share as a percentage, a dash where there is none.

    >>> percent(0.1234), percent(None)
    ('12.3%', '–')
    """
    return "–" if value is None else f"{value:.1%}"

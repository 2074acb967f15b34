"""The tables of docs/capacity.md, between their marks."""

from collections.abc import Mapping, Sequence

from bench.capacity.checks import LabelCheck
from bench.capacity.counts import Units
from bench.capacity.parts import Part, bottleneck
from bench.capacity.prefixes import Prefix
from local.pages import replace_block

UNITS = "units"
PARTS = "parts"
PREFIXES = "prefixes"
CHECKS = "checks"


def with_tables(
    page: str,
    counts: Mapping[str, Units],
    parts: Sequence[Part],
    prefixes: Sequence[Prefix],
    checks: Sequence[LabelCheck],
) -> str:
    """Replace a page's tables by those of some figures."""
    tables = {UNITS: _units(counts), PARTS: _parts(parts), PREFIXES: _prefixes(prefixes), CHECKS: _checks(checks)}
    for name, table in tables.items():
        page = replace_block(page, name, table)
    return page


def _units(counts: Mapping[str, Units]) -> str:
    lines = [
        "| a prediction is | write units | of the `due` index | read units | records of the stream |",
        "|---|---|---|---|---|",
    ]
    for step, units in counts.items():
        if "bytes" not in units:
            shown = (units.get(name, 0) for name in ("writes", "writes:due", "reads", "records"))
            lines.append(f"| {step} | {' | '.join(f'{number:g}' for number in shown)} |")
    return "\n".join(lines) + "\n"


def _parts(parts: Sequence[Part]) -> str:
    lines = [
        "| part | a prediction asks of it | takes by default | lifted by | ends at |",
        "|---|---|---|---|---|",
    ]
    for part in sorted(parts, key=lambda part: part.default):
        end = "its quota" if part.most is None else _rounded(part.most)
        lines.append(f"| {part.name} | {part.asked} | {_rounded(part.default)} | {part.lifted_by} | {end} |")
    first = bottleneck(list(parts))
    last = f"With all of that raised, **{first.name}** ends first: at {_rounded(first.most or 0)} predictions a second."
    return "\n".join([*lines, "", last]) + "\n"


def _prefixes(prefixes: Sequence[Prefix]) -> str:
    lines = ["| prefix | of | objects a day, at most | because |", "|---|---|---|---|"]
    lines += (f"| `{found.name}/` | {found.of} | {found.most} | {found.because} |" for found in prefixes)
    return "\n".join(lines) + "\n"


def _checks(checks: Sequence[LabelCheck]) -> str:
    lines = [
        "| check | window | holds all records up to | samples all days up to | has labels up to |",
        "|---|---|---|---|---|",
    ]
    for check in checks:
        shown = " | ".join(_rounded(number) for number in (check.held, check.read, check.day))
        lines.append(f"| {check.name} | {check.window} | {shown} |")
    return "\n".join(lines) + "\n"


def _rounded(number: float) -> str:
    """Round to two digits: more would be made up.

    >>> _rounded(12345), _rounded(987), _rounded(3333)
    ('12,000', '990', '3,300')
    """
    return f"{float(f'{number:.2g}'):,.0f}"

"""``make capacity``: count the units again and write the tables of docs/capacity.md, and out/capacity/summary.json.

``--measure`` times the workers too, and keeps what they took in ``bench/capacity/speeds.json``.
"""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from bench.capacity import speeds
from bench.capacity.checks import checks_of
from bench.capacity.counts import count
from bench.capacity.page import with_tables
from bench.capacity.parts import bottleneck, parts_of
from bench.capacity.prefixes import prefixes_of
from bench.figures import publish
from local.template import load_template

PAGE = Path("docs/capacity.md")
SPEEDS = Path(__file__).with_name("speeds.json")
OUT = Path("out/capacity/summary.json")


def defaults() -> dict[str, float]:
    """Read the defaults of the template's numeric parameters."""
    parameters = load_template()["Parameters"]
    return {name: float(found["Default"]) for name, found in parameters.items() if found["Type"] == "Number"}


def main() -> None:
    """Count, write and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--measure", action="store_true")
    if arguments.parse_args().measure:
        found = {"measured_on": f"{datetime.now(UTC):%Y-%m-%d}", "microseconds": speeds.measure()}
        SPEEDS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    counts, measured = count(), json.loads(SPEEDS.read_text(encoding="utf-8"))
    parts = parts_of(counts, measured["microseconds"], defaults())
    prefixes, checks = prefixes_of(defaults()), checks_of(measured["microseconds"])
    page = with_tables(PAGE.read_text(encoding="utf-8"), counts, parts, prefixes, checks)
    PAGE.write_text(page, encoding="utf-8")
    figures = {
        "bottleneck": bottleneck(parts).name,
        "predictions_per_second": round(bottleneck(parts).most or 0),
        "counts": counts,
        "speeds": measured,
        "parts": [asdict(part) for part in parts],
        "checks": [asdict(check) for check in checks],
    }

    def shown(_: object) -> Table:
        table = Table("part", "takes by default", "ends at", title="Predictions of one model a second")
        for part in parts:
            table.add_row(part.name, f"{part.default:,.0f}", "quota" if part.most is None else f"{part.most:,.0f}")
        return table

    publish(figures, shown, OUT)


if __name__ == "__main__":
    main()

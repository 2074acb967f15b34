"""``python -m bench.cost``: play every scenario in a separate process, and write what a month costs."""

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.cost.bill import aims, counts, figures, month_of, own_key, table
from bench.cost.full_windows import means, with_full_windows
from bench.cost.play import Play
from bench.cost.prices import price_list
from bench.cost.scenarios import SCENARIOS, START, Scenario
from local.pages import replace_block
from local.template import TEMPLATE
from local.transformed import Place, deployment

MEASURED = Path(__file__).with_name("measured.json")
OUT = Path("out/cost")
README = TEMPLATE.parent / "README.md"
FIGURES = TEMPLATE.parent / "docs/figures.md"
AT_ONCE = 2


def main() -> int:
    """Play what is asked for; write out/cost/, the measured quantities, and what the pages show of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[one.name for one in SCENARIOS], help="play one scenario and print it")
    parser.add_argument("--hours", type=int, help="hours that count, instead of each scenario's own")
    asked = parser.parse_args()
    if asked.only:
        (scenario,) = [one for one in SCENARIOS if one.name == asked.only]
        found = play(scenario, asked.hours or scenario.hours)
        print(json.dumps(found), file=sys.__stdout__)
        return 0
    OUT.mkdir(parents=True, exist_ok=True)
    # Processor time is measured, and processes do not wait for each other: two at once disturb each other little.
    with ThreadPoolExecutor(AT_ONCE) as pool:
        played = pool.map(lambda one: _apart(one, asked.hours or one.hours), SCENARIOS)
        found = dict(zip([one.name for one in SCENARIOS], played, strict=True))
    write(with_full_windows(found))
    return 0


def play(scenario: Scenario, hours: int) -> dict[str, Any]:
    """Play one scenario in this process, whose handlers must not have been loaded before."""
    from bench.cost.running import running  # noqa: PLC0415  moto is loaded where it is played in

    began = time.monotonic()
    at = deployment(place=Place(region=price_list()["region"]))
    with running(at, START) as account:
        played = Play(account, scenario)
        played.run(hours)
        played.daily()
        found = {**figures(scenario.name, month_of(played, hours)), "own_key": own_key(played, hours)}
        invocations, checks = counts(played), means(played, hours)
    return {
        **found,
        "hours_played": hours,
        "days_aged": scenario.days,
        "scenario_digest": scenario.digest(),
        "invocations_played": invocations,
        "checks": checks,
        "metrics_played": sorted({f"{name} {dimensions}" for name, dimensions, _ in account.meter.series}),
        "aws_calls_played": account.meter.calls,
        "seconds": round(time.monotonic() - began, 1),
    }


def write(found: dict[str, dict[str, Any]]) -> None:
    """Write the summary, the measured quantities, the README's first line on costs and the table of its page."""
    summary = {name: one["dollars"] for name, one in found.items()}
    (OUT / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    MEASURED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for page, name, content in ((README, "aims", aims(found)), (FIGURES, "cost", table(found))):
        page.write_text(replace_block(page.read_text(encoding="utf-8"), name, content), encoding="utf-8")
    print(aims(found), table(found), sep="\n\n")


def _apart(scenario: Scenario, hours: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.cost", "--only", scenario.name, "--hours", str(hours)]
    # Processor time is what is measured: threads that wait for each other would add theirs.
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=alone).stdout  # noqa: S603  our own
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


if __name__ == "__main__":
    raise SystemExit(main())

"""``make account``: the loop, a flood, an import, an erasure and a relabelling in an account, and what they came to."""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.account import elsewhere, loop
from bench.account.first_answer import PredictRequest, first_answers
from bench.account.flood import flood_of_bytes, flood_of_calls
from bench.account.mode.settings import Mode
from bench.account.past import Past
from bench.account.phase import Phase, queue_counts
from bench.account.stack import PACE, account_stack
from bench.figures import publish
from local.client import StackClient

OUT = Path("out/account/summary.json")
COUNTED = ("lost", "doubled", "missing")
PARTS = ("loop", "flood", "past", "figures")
# What the figures of a whole run may come to at most.
BOUNDS = {
    "findings": 0,
    "retrain_answer_p99_seconds": 2.0,
    "explain_p99_seconds": 2.0,
    "objects_a_day_at_4_per_second": 2000,
    "predict_first_answer_seconds": 3.0,
}
# The figures that every whole run must reach.
MEASURED = (*BOUNDS, "parameter_sets", "erasure_seconds", "relabelling_files_per_second")
# What an idle function is asked for: something of the model that the loop has trained.
IDLE = PredictRequest(model=loop.MODEL, features={"x": 0.5, "kind": "a"}, now=loop.START + timedelta(days=300))


@dataclass(frozen=True)
class Sizes:
    """The amount of work of each part."""

    loop_rows: int = 600
    flood_events: int = 4000
    flood_notes: int = 12_000
    import_rows: int = 200_000
    import_days: int = 60


QUICK_PARTS = ("flood", "past")
QUICK = Sizes(loop_rows=0, flood_events=300, flood_notes=1500, import_rows=2000, import_days=5)


def main(arguments: list[str] | None = None) -> int:
    """Run everything, print and write the figures; return 1 if anything is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m bench.account", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small flood, import, erasure and relabelling only")
    parser.add_argument("--only", choices=PARTS, action="append", help="one part of it")
    parser.add_argument("--folder", type=Path, help="keep what the account wrote there, its log among it")
    asked = parser.parse_args(arguments)
    parts = tuple(asked.only or (QUICK_PARTS if asked.quick else PARTS))
    figures = measure(QUICK if asked.quick else Sizes(), parts, asked.folder)
    publish(figures, shown, OUT)
    missed = missed_figures(figures) if parts == PARTS else []
    for line in missed:
        print(line, file=sys.stderr)
    return int(bool(missed) or not is_as_it_must_be(figures))


def measure(sizes: Sizes, parts: tuple[str, ...] = PARTS, kept: Path | None = None) -> dict[str, Any]:
    """Run the parts in an account of their own; return their figures."""
    began, folder = time.monotonic(), kept or Path(tempfile.mkdtemp(prefix="account-"))
    mode = Mode(pace=PACE)
    figures: dict[str, Any] = {}
    try:
        with account_stack(folder / "server", mode) as client:
            phases = run(client, folder, sizes, parts)
            if "loop" in parts and sizes.loop_rows:
                figures |= first_answers(client, folder / "server", IDLE, mode.pace)
            if "figures" in parts:
                figures |= elsewhere.within(client)
            dead = queue_counts(client, dead=True)
    finally:
        if kept is None:
            shutil.rmtree(folder, ignore_errors=True)
    if "figures" in parts:
        figures |= elsewhere.of_the_template() | elsewhere.of_the_lake()
    took = {"seconds": round(time.monotonic() - began, 1), "sizes": asdict(sizes)}
    return {**summary(phases, dead), **figures, **took}


def run(client: StackClient, folder: Path, sizes: Sizes, parts: tuple[str, ...]) -> list[Phase]:
    """Run the parts, one after the other, and say of each what it came to."""
    past = Past(client, sizes.import_rows, sizes.import_days)
    works: dict[str, list[Callable[[], Phase]]] = {
        "loop": [lambda: loop.loop(client, folder, sizes.loop_rows)] if sizes.loop_rows else [],
        "flood": [
            lambda: flood_of_calls(client, sizes.flood_events),
            lambda: flood_of_bytes(client, sizes.flood_notes),
        ],
        "figures": [],
        "past": [lambda: past.bring_in(folder), past.pack, past.erase, past.relabel],
    }
    phases: list[Phase] = []
    for work in (work for part in parts for work in works[part]):
        phases.append(work())
        print(phases[-1], file=sys.stderr, flush=True)
    return phases


def summary(phases: list[Phase], dead: dict[str, int]) -> dict[str, Any]:
    """Join the figures of all parts, with each of them."""
    return {
        **{name: sum(getattr(phase, name) for phase in phases) for name in COUNTED},
        "dead_letters": sum(dead.values()),
        "dead_letters_by_queue": dead,
        "erasure_seconds": next((p.figures["erasure_seconds"] for p in phases if "erasure_seconds" in p.figures), None),
        "unexplained": [what for phase in phases for what in phase.unexplained],
        "phases": [asdict(phase) for phase in phases],
    }


def is_as_it_must_be(figures: dict[str, Any]) -> bool:
    """Check that nothing is lost, doubled, missing, given up on or unexplained."""
    return not any(figures[name] for name in (*COUNTED, "dead_letters", "unexplained"))


def missed_figures(figures: dict[str, Any]) -> list[str]:
    """Name the figures of a whole run that are not there, or beyond their bounds."""
    absent = [f"{name} was not measured" for name in MEASURED if figures.get(name) is None]
    beyond = [
        f"{name} is {figures[name]}, at most {bound} was asked for"
        for name, bound in BOUNDS.items()
        if figures.get(name) is not None and figures[name] > bound
    ]
    return [*absent, *beyond]


def shown(figures: dict[str, Any]) -> Table:
    """Format the figures as a table."""
    table = Table("part", "sent", *COUNTED, "seconds", "figures", title="in an account of ten functions at once")
    for phase in figures["phases"]:
        counted = [f"{phase[name]:,}" for name in ("sent", *COUNTED)]
        table.add_row(phase["name"], *counted, f"{phase['seconds']:.0f}", str(phase["figures"]))
    return table


if __name__ == "__main__":
    sys.exit(main())

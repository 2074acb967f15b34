"""The output of a bench's figures: a file for machines, a table for people."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


def publish(figures: dict[str, Any], shown: Callable[[dict[str, Any]], Table], out: Path) -> None:
    """Write figures, with the seeds and sizes they were measured with, then print the table they are ``shown`` as.

    Written first: minutes of measuring are not lost to a mistake in a table.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    console = Console(width=180)
    console.print(shown(figures))
    console.print(f"written to {out}, with seeds, sizes and what else was seen")


def print_by_seeds(description: str, measure: Callable[[Sequence[int]], dict[str, Any]], seeds: Sequence[int]) -> None:
    """Measure for the seeds of the command line, by default the given ones, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(seeds))
    sys.stdout.write(json.dumps(measure(parser.parse_args().seeds), indent=2) + "\n")

"""The output of a bench's figures: a file for machines, a table for people."""

import json
from collections.abc import Callable
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

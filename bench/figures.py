"""What every bench does with its figures: a file for machines, a table for people."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


def publish(figures: dict[str, Any], table: Table, out: Path) -> None:
    """Write figures, with the seeds and sizes they were measured with, and print their table."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    console = Console(width=180)
    console.print(table)
    console.print(f"written to {out}, with seeds, sizes and what else was seen")

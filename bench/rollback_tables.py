"""The tables of the figures of rollouts and probations: printed, and written into the documentation."""

import json
from pathlib import Path
from typing import Any

from rich.table import Table

from local.pages import replace_block
from local.pages import table as table_of

ALLOWED = 0.05
WITHIN = (500, 1_000, 1_500, 2_000)
RECORD, PAGE = Path("bench/rollback.json"), Path("docs/rollout-evaluation.md")


def shown(figures: dict[str, Any]) -> Table:
    """Format the figures as a table."""
    table = Table(
        "subject", "version", "kept", "rolled back", "labels, median", "ninth decile", title="Rollout evaluation"
    )
    groups = {
        "probation, rows flipped": figures["probation_by_share_of_rows_flipped"],
        "probation, accuracy": figures["probation_by_accuracy_in_service"],
        **{f"{mode}, worse by": found for mode, found in figures["rollouts_by_drop"].items()},
    }
    for name, group in groups.items():
        for version, found in group.items():
            cells = [value for value in found.values() if not isinstance(value, dict)]
            table.add_row(name, version, *("" if value is None else f"{value:.3g}" for value in cells))
    return table


def rollout_table(figures: dict[str, Any]) -> str:
    """Write the table of rollouts for the documentation."""
    within = [int(most) for most in WITHIN]
    head = ("rollout", "worse by", "promoted", "aborted", *(f"promoted within {most:,}" for most in within), "labels")
    rows = [
        (
            mode,
            _drop(float(drop)),
            f"{found['promoted']:.3f}",
            f"{found['aborted']:.3f}",
            *(f"{found['promoted_within'][str(most)]:.2f}" for most in within),
            f"{_labels(found['labels_median'])} ({_labels(found['labels_ninth_decile'])})",
        )
        for mode, by_drop in figures["rollouts_by_drop"].items()
        for drop, found in by_drop.items()
    ]
    return table_of(head, rows)


def probation_table(figures: dict[str, Any]) -> str:
    """Write the table of probations for the documentation."""
    head = ("probation", "kept", "rolled back", "labels until then")
    flipped, fallen = figures["probation_by_share_of_rows_flipped"], figures["probation_by_accuracy_in_service"]
    named = {f"the concept flips for {float(share):.0%} of the rows": found for share, found in flipped.items()}
    named |= {f"accuracy in service {float(accuracy):.3f}": found for accuracy, found in fallen.items()}
    rows = [
        (
            name,
            f"{found['kept']:.3f}",
            f"{found['rolled_back']:.3f}",
            f"{_labels(found['labels_median'])} ({_labels(found['labels_ninth_decile'])})",
        )
        for name, found in named.items()
    ]
    return table_of(head, rows)


def _drop(drop: float) -> str:
    return "0, as good" if drop == 0 else f"{drop:g}, all that is allowed" if drop == ALLOWED else f"{drop:g}"


def _labels(found: int | None) -> str:
    return "–" if found is None else f"{found:,}"


def keep(figures: dict[str, Any]) -> None:
    """Keep the figures, and write the documentation's tables of them."""
    RECORD.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    page = replace_block(PAGE.read_text(encoding="utf-8"), "rollouts", rollout_table(figures))
    PAGE.write_text(replace_block(page, "probations", probation_table(figures)), encoding="utf-8")

"""The figures behind training, the gate and deployment: how honest, how quick, how hard to break.

``make bench-pipeline`` prints them and writes ``out/bench/pipeline.json``.
"""

from pathlib import Path
from typing import Any

from rich.table import Table

from bench import close, gate, immature, interleavings, rollback, snapshot, training_memory
from bench.figures import publish

OUT = Path("out/bench/pipeline.json")


def measure() -> dict[str, Any]:
    """Measure every figure, with the seeds and sizes."""
    measured = {
        "gate": gate.measure(),
        "immature": immature.measure(),
        "rollback": rollback.record(),
        "snapshot": snapshot.measure(),
        "training": training_memory.measure(),
        "close": close.measure(),
        "interleavings": interleavings.measure(),
    }
    return {
        "gate_false_promotion_rate": measured["gate"]["gate_false_promotion_rate"],
        "gate_power": measured["gate"]["gate_power"],
        "slice_regression_refused": measured["gate"]["slice_regression_refused"],
        "immature_worst_gap_points": measured["immature"]["immature_worst_gap_points"],
        "rollback_labels_median": measured["rollback"]["rollback_labels_median"],
        "snapshot_rows_per_second": measured["snapshot"]["snapshot_rows_per_second"],
        "snapshot_memory_ratio": measured["snapshot"]["snapshot_memory_ratio"],
        "close_seconds": measured["close"]["close_seconds"],
        "pointer_interleavings_correct": measured["interleavings"]["pointer_interleavings_correct"],
        "measured": measured,
    }


def main() -> None:
    """Measure, write and print."""
    publish(measure(), shown, OUT)


def shown(figures: dict[str, Any]) -> Table:
    """Format the figures as a table."""
    table = Table("figure", "seen", "measured with", title="Training, gate and deployment")
    for name, how in _how(figures["measured"]).items():
        seen = figures[name]
        table.add_row(name, f"{seen:,}" if isinstance(seen, int) else f"{seen:,.4g}", how)
    return table


def _how(measured: dict[str, Any]) -> dict[str, str]:
    gate, immature, rollback = (measured[name] for name in ("gate", "immature", "rollback"))
    snapshot, training, close, interleavings = (
        measured[name] for name in ("snapshot", "training", "close", "interleavings")
    )
    flipped = rollback["probation_by_share_of_rows_flipped"]
    return {
        "gate_false_promotion_rate": (
            f"the worst of {len(gate['promoted_equally_good'])} kinds of equally good challengers and metrics, "
            f"{gate['trials']} promotions each, confidence {gate['confidence']}, margin {gate['margin']:g}"
        ),
        "gate_power": (
            f"{gate['trials']} challengers 3 points better on {gate['rows']:,} rows, errors independent "
            f"(shared: {gate['promoted_3_points_better']['shared_errors']})"
        ),
        "slice_regression_refused": (
            f"{gate['trials']} challengers better overall, 10 points worse on {gate['slice_rows']} rows"
        ),
        "immature_worst_gap_points": (
            f"worst of {immature['months']} months, seeds {immature['seeds']}, {len(immature['streams'])} streams; "
            f"on labels as they come {immature['eager_worst_gap_points']}"
        ),
        "rollback_labels_median": (
            f"the worst of {', '.join(flipped)} of the rows whose concept flips, {rollback['runs']['bad']} versions "
            f"each; good ones rolled back: {rollback['false_rollback_rate']}"
        ),
        "snapshot_rows_per_second": (
            f"{snapshot['records']:,} records of {snapshot['features']} features from Parquet on one core, parts and "
            f"digests written; keys first in DuckDB alone {snapshot['floor_rows_per_second']:,}"
        ),
        "snapshot_memory_ratio": f"peak above the dataset in memory; training a million rows: {_gigabytes(training)}",
        "close_seconds": (
            f"{close['rows']:,} rows on the embedded AWS, from the first label sent to the new version's answer"
        ),
        "pointer_interleavings_correct": (
            f"of {interleavings['interleavings']}, in memory and on the table's adapter, each {interleavings['waves']} "
            "waves of runs, rollbacks, overrides and ends of trials, killed anywhere"
        ),
    }


def _gigabytes(training: dict[str, Any]) -> str:
    return f"{training['training_peak_bytes'] / 2**30:.1f} GB, {training['training_seconds']:.0f} s"


if __name__ == "__main__":
    main()

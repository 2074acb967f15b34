"""The figures behind labels: how fast and in what memory they are joined, and what review and exploration show.

``make bench-labels`` prints them and writes ``out/bench/labels.json``.
"""

from pathlib import Path
from typing import Any

from rich.table import Table

from bench import active_learning, busy_entity, exploration, key_join, label_join, stream_memory, weighted_coverage
from bench.figures import publish

OUT = Path("out/bench/labels.json")
SHOWN_POINTS = 5
_SPEEDS = (
    "resolve_events_per_second",
    "plan_events_per_second",
    "resolve_by_entity_events_per_second",
    "plan_by_entity_events_per_second",
)


_HIDDEN = ("exploration_coverage", "exploration_bias", "no_exploration_coverage", "no_exploration_bias")


def measure() -> dict[str, Any]:
    """Measure every figure, with the seeds and sizes."""
    join, memory = {**label_join.measure(), **key_join.measure()}, stream_memory.measure()
    coverage, learning = weighted_coverage.measure(), active_learning.measure()
    hidden, busy = exploration.measure(), busy_entity.measure()
    return {
        **{name: join[name] for name in _SPEEDS},
        "busy_entity_reads": busy["busy_entity_reads"],
        "busy_entity_read_seconds": busy["busy_entity_read_seconds"],
        "stream_memory_ratio": memory["stream_memory_ratio"],
        "weighted_coverage": coverage["weighted_coverage"],
        "unweighted_coverage": coverage["unweighted_coverage"],
        "active_learning": {
            name: {what: curve[what] for what in ("labels", "accuracy")}
            for name, curve in learning["strategies"].items()
        },
        "exploration": {name: hidden[name] for name in _HIDDEN},
        "measured": {
            "join": join,
            "memory": memory,
            "coverage": coverage,
            "active_learning": learning,
            "exploration": hidden,
            "busy_entity": busy,
        },
    }


def shown(figures: dict[str, Any]) -> Table:
    """Format the figures as a table."""
    table = Table("figure", "seen", "measured with", title="Labels")
    measured = figures["measured"]
    join, memory = measured["join"], measured["memory"]
    coverage, learning = measured["coverage"], measured["active_learning"]
    task = f"{join['predictions']:,} predictions, {join['events']:,} lines, one thread"
    for name in (*_SPEEDS, "floor_events_per_second"):
        table.add_row(name, f"{join[name]:,}", task)
    busy = measured["busy_entity"]
    histories = " and ".join(f"{found:,}" for found in busy_entity.HISTORIES)
    joins = f"by each match, of {histories} predictions; a read is reckoned with {busy['read_seconds']} s"
    for name in ("busy_entity_reads", "busy_entity_read_seconds"):
        table.add_row(
            name, f"{figures[name]}", f"{joins} predictions; a read is reckoned with {busy['read_seconds']} s"
        )
    sizes = " and ".join(f"{events:,}" for events in memory["events"])
    peaks = " and ".join(f"{peak / 2**20:.1f} MiB" for peak in memory["peak_bytes"])
    table.add_row("stream_memory_ratio", f"{memory['stream_memory_ratio']}", f"{sizes} events: {peaks}")
    streams = f"nominal {coverage['confidence']}; {coverage['runs']} streams of {coverage['rows']:,} rows"
    for name in ("weighted_coverage", "unweighted_coverage"):
        table.add_row(name, f"{coverage[name]:.3f}", streams)
    hidden = measured["exploration"]
    streams = f"{hidden['share']:.0%} explored; {hidden['runs']} streams of {hidden['rows']:,} rows"
    for name, value in figures["exploration"].items():
        table.add_row(name, f"{value:+.4f}" if name.endswith("bias") else f"{value:.3f}", streams)
    spent = f"accuracy by labels spent; {learning['rows']:,} rows, {learning['seeds']} seeds"
    for strategy, curve in figures["active_learning"].items():
        table.add_row(f"active_learning: {strategy}", "  ".join(_points(curve)), spent)
    return table


def _points(curve: dict[str, Any]) -> list[str]:
    """Select a few points of a learning curve, evenly spread back from its end."""
    points = [f"{n}: {accuracy:.3f}" for n, accuracy in zip(curve["labels"], curve["accuracy"], strict=True)]
    return points[:: -(len(points) // SHOWN_POINTS)][::-1]


def main() -> None:
    """Measure, write and print."""
    publish(measure(), shown, OUT)


if __name__ == "__main__":
    main()

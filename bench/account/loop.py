"""The loop in an account: predictions, labels, the first version, checks, and the version that a change asks for."""

import csv
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.account.phase import Phase, settled, wait_for_queues
from bench.chaos.reconcile import Reality, read_reality
from hindsight.core.times import format_time
from local.client import StackClient
from local.replay.replay_file import ReplayFiles, prepare_replay, run_replay

MODEL = "looped"
START, CHANGE = datetime(2026, 1, 10, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
ROWS_A_DAY = 15
_DRAIN_SECONDS = 120.0

CONFIGURATION: dict[str, Any] = {
    "model": MODEL,
    "task": "binary",
    "features": {"x": {"type": "numeric"}, "kind": {"type": "categorical"}},
    "labels": {"rules": [{"event": "outcome", "kind": "outcome", "window": "P1D"}]},
    "monitoring": {"window": "P5D", "min_rows": 50, "performance": {"min_labels": 30}},
    "triggers": {"schedule": "P5D", "cooldown": "PT1H", "min_new_labels": 30, "drift": False, "performance": False},
    "training": {"window": "P10D", "candidates": ["logistic_regression"]},
    "gate": {"floor": 0.6, "margin": -0.05, "confidence": 0.8},
}


def loop(client: StackClient, folder: Path, rows: int) -> Phase:
    """Replay rows whose outcome turns into its opposite; check every label, and that a new version was promoted."""
    phase, outcomes = Phase("loop", sent=rows), _write(folder, rows)
    with phase.timed():
        prepared = prepare_replay(ReplayFiles(folder / "rows.csv", folder / "spec.yaml", strict=True))
        summary = run_replay(client, prepared, folder, Console(quiet=True))
        wait_for_queues(client, _DRAIN_SECONDS)
    phase.figures = {name: summary[name] for name in ("predictions", "labels", "promotions")}

    def judge() -> Phase:
        found = Phase(phase.name, rows, seconds=phase.seconds, figures=phase.figures)
        _reckon(found, read_reality(client, MODEL), outcomes)
        if summary["promotions"] < 2:
            found.unexplained.append(f"loop: {summary['promotions']} promotions, the change asks for two")
        return found

    return settled(judge, _DRAIN_SECONDS)


def _reckon(phase: Phase, reality: Reality, outcomes: list[int]) -> None:
    """Hold the labels against the outcomes: as many of each, every prediction once, kept in table and lake."""
    names = reality.predictions | reality.raw_predictions
    phase.count("missing", sorted(names - (reality.predictions & reality.raw_predictions)))
    phase.count("missing", [f"{len(outcomes) - len(names)} predictions"] * max(0, len(outcomes) - len(names)))
    phase.count("doubled", [f"{len(names) - len(outcomes)} predictions"] * max(0, len(names) - len(outcomes)))
    labels = {name: int(row["value"]) for name, row in reality.records.items() if row["value"] is not None}
    phase.count("lost", sorted(names - labels.keys()))
    for name, records in reality.labels.items():
        if sorted(int(record["seq"]) for record in records) != list(range(1, len(records) + 1)):
            phase.count("doubled", [name])
    if len(labels) == len(outcomes) and sum(labels.values()) != sum(outcomes):
        phase.count("lost", [f"{abs(sum(labels.values()) - sum(outcomes))} outcomes have another label"])


def _write(folder: Path, count: int) -> list[int]:
    rng, rows = random.Random(1), list[dict[str, Any]]()
    for position in range(count):
        x = rng.gauss(0, 1)
        has_changed = START + position * timedelta(days=1) / ROWS_A_DAY >= CHANGE
        outcome = int((x + rng.gauss(0, 0.3) > 0) != has_changed)
        rows.append({"x": round(x, 4), "kind": rng.choice("abc"), "outcome": outcome})
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    described = {
        "configuration": "configuration.yaml",
        "time": {"start": format_time(START), "rows_per_day": ROWS_A_DAY},
        "outcome": {"column": "outcome", "event": "outcome", "known_after": "P1D"},
        "bootstrap": {"rows": count // 2},
        "check_every": "P5D",
    }
    # JSON is YAML too.
    (folder / "configuration.yaml").write_text(json.dumps(CONFIGURATION), encoding="utf-8")
    (folder / "spec.yaml").write_text(json.dumps(described), encoding="utf-8")
    return [row["outcome"] for row in rows]

"""A model that another server answers for: its logs, its schedules and its operator's calls."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from functions.decide_versions.app import handler as decide_versions
from functions.register_version.app import handler as register_version
from hindsight.bootstrap import stores
from hindsight.core.times import format_time
from hindsight.lake.object_store import PREDICTIONS, day_prefix
from hindsight.profiles.logs.log_profiler import LogProfiler
from hindsight.testing.builders.configuration import configuration
from tests.functions.conftest import FannedOut
from tests.functions.requests import send

MODEL = "bike-demand"
START = datetime(2026, 3, 1, tzinfo=UTC)
Sample = Callable[[str], dict[str, Any]]


def configure(**monitoring: Any) -> None:
    document = {"min_rows": 100, "window": "P7D", **({"baseline": {"rows": 200}} | monitoring)}
    stores.configurations().put(configuration(serving="external", monitoring=document), START)
    stores.recent_configurations.cache_clear()


def log(version: str, day: int, rows: int = 300, warmer: float = 0.0) -> None:
    """Put a day of logged predictions of a version into the lake, as the stream does, and profile it."""
    dice, occurred = np.random.default_rng(day), START + timedelta(days=day, hours=3)
    logged = [
        {
            "prediction_id": f"{version}-{day}-{number}",
            "features": {"hour": ["8", "17"][number % 2], "temperature": value + warmer, "holiday": number % 10 == 0},
            "score": float(dice.uniform()),
            "decision": 1,
            "model_version": version,
            "occurred_at": format_time(occurred),
            "outcome_due_at": format_time(occurred + timedelta(days=2)),
        }
        for number, value in enumerate(dice.uniform(0, 0.5, rows))
    ]
    key = day_prefix(PREDICTIONS, MODEL, occurred.date()) + f"{version}.jsonl.gz"
    stores.lake().write_lines(key, logged)
    assert not LogProfiler(stores.lake(), stores.configurations(), pause=lambda _: None).profile([key]).failures


def run(handler: Any, fanned_out: FannedOut, sample: Sample, name: str, day: float) -> None:
    _, failures = fanned_out.run(handler, {**sample(name), "time": format_time(START + timedelta(days=day))})
    assert failures == []


def decide(path: str, **body: Any) -> tuple[int, Any]:
    if path == "/versions":
        return send(register_version, "register_version", body, path=f"/models/{MODEL}{path}")
    return send(decide_versions, "decide_versions", body, path=f"/models/{MODEL}{path}")

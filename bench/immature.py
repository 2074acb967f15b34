"""The cost of learning from labels that have not matured: ``python -m bench.immature``.

A stream whose positives are known within days and whose negatives only when their window closes, three months later.
Every month a run goes through the product's own snapshot, training and gate, and what passes serves. Its expected
accuracy in each month is set beside that of the first version, never retrained ("static"), and of a model trained on
the same days from all labels that had come ("eager"), as a loop that does not wait would have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.figures import print_by_seeds
from hindsight.config.metrics import Metric, Task
from hindsight.config.parse import parse_configuration
from hindsight.config.store import ConfigurationRevision
from hindsight.config.training import Candidate
from hindsight.datasets.building.snapshot import take_snapshot
from hindsight.datasets.dataset import Manifest
from hindsight.entities.label import LabelStatus
from hindsight.entities.label_row import LabelRow
from hindsight.lake.object_store import LABELS, day_prefix
from hindsight.registry.moves import AuditInfo, promote
from hindsight.registry.schema import Schema
from hindsight.registry.version import Verdict
from hindsight.rollout.deployment import servable
from hindsight.runs.run import RetrainingRun
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.models.registry import InMemoryRegistry
from hindsight.training.gate.smoke_run import Rows, SmokeRun, smoke_run
from hindsight.training.gate.validate import ValidationJob, validate
from hindsight.training.models.artifact import load_artifact
from hindsight.training.models.candidates import build, fit
from hindsight.training.models.frame import to_frame
from hindsight.training.models.scoring import LoadedVersion
from hindsight.training.train import TrainingJob, train_candidate

MODEL = "immature"
START = datetime(2026, 1, 1, tzinfo=UTC)
MONTH = timedelta(days=30)
WINDOW = timedelta(days=90)  # when a prediction without an event becomes a negative
QUICK = 3.0  # days to a positive's event, on average
MONTHS, FIRST_MONTH = 19, 10
ROWS_A_MONTH, JUDGED_ROWS = 1_200, 4_000
SEEDS = (1, 2, 3)
# How far the boundary between the classes turns in a month, in degrees: the live model has something to follow.
DRIFTS = {"steady": 0.0, "drifting": 7.0}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stream:
    """Two numbers decide; the line between the classes turns as time goes."""

    degrees_a_month: float

    def chance(self, values: Floats, months: Floats | float) -> Floats:
        """Compute the probability of a positive, shape (n,), of values of shape (n, 2) at times in months."""
        angle = np.radians(self.degrees_a_month) * months
        along: Floats = values[:, 0] * np.cos(angle) + values[:, 1] * np.sin(angle)
        return 1 / (1 + np.exp(-2.5 * (along - 0.4)))

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """Draw the features of rows, shape (count, 2)."""
        return rng.normal(size=(count, 2))


@dataclass(frozen=True, slots=True)
class Arms:
    """ExpectedMetric accuracy by month, from the first month that anything served."""

    live: list[float]
    static: list[float]
    eager: list[float]
    promoted: int


def measure(seeds: Sequence[int] = SEEDS, months: int = MONTHS) -> dict[str, Any]:
    """Measure the live model's worst month against the static one, in points, over all streams and seeds."""
    found = {name: [run(Stream(turn), seed, months) for seed in seeds] for name, turn in DRIFTS.items()}
    everything = [arms for runs in found.values() for arms in runs]
    return {
        "immature_worst_gap_points": _worst([arms.live for arms in everything], [arms.static for arms in everything]),
        "eager_worst_gap_points": _worst([arms.eager for arms in everything], [arms.static for arms in everything]),
        "streams": {
            name: {
                "worst_gap_points": _worst([arms.live for arms in runs], [arms.static for arms in runs]),
                "mean_live": round(float(np.mean([arms.live for arms in runs])), 4),
                "mean_static": round(float(np.mean([arms.static for arms in runs])), 4),
                "mean_eager": round(float(np.mean([arms.eager for arms in runs])), 4),
                "promotions": [arms.promoted for arms in runs],
                "degrees_a_month": DRIFTS[name],
            }
            for name, runs in found.items()
        },
        "seeds": list(seeds),
        "months": months - FIRST_MONTH,
        "rows_a_month": ROWS_A_MONTH,
        "judged_rows_a_month": JUDGED_ROWS,
        "window_days": WINDOW.days,
        "days_to_a_positive": QUICK,
    }


def run(stream: Stream, seed: int, months: int = MONTHS) -> Arms:
    """Let a stream pass, with a run at the beginning of each month."""
    rng = np.random.default_rng(seed)
    loop = _Loop(seed)
    live, static, eager = list[float](), list[float](), list[float]()
    rows = _label_rows(stream, months, rng)
    loop.store(rows)
    first: LoadedVersion | None = None
    for month in range(FIRST_MONTH, months):
        loop.retrain(START + month * MONTH, month)
        serving = loop.serving()
        if serving is None:
            raise ValueError(f"nothing serves in month {month}: the gate let no first version in")
        first = first or serving
        values = stream.draw(JUDGED_ROWS, rng)
        chance = stream.chance(values, month + 0.5)
        live.append(_accuracy(serving, values, chance))
        static.append(_accuracy(first, values, chance))
        eager.append(_accuracy(loop.eager(rows, START + month * MONTH), values, chance))
    return Arms(live, static, eager, len(loop.registry.deployments(MODEL, 100)))


class _Loop:
    """One model's configuration, lake and registry; the in-memory ones that the contract suites judge."""

    def __init__(self, seed: int) -> None:
        self.lake, self.registry = InMemoryLake(), InMemoryRegistry()
        document = {
            "model": MODEL,
            "task": "binary",
            "features": {"first": {"type": "numeric"}, "second": {"type": "numeric"}},
            "labels": {
                "rules": [{"event": "bought", "kind": "action", "window": f"P{WINDOW.days}D", "value": 1}],
                "default": {"value": 0, "after": f"P{WINDOW.days}D"},
            },
            # Of ten months three have not matured, and three lie in the gap between the train part and the holdout.
            "training": {"window": "P300D", "seed": seed, "search": {"trials": 1}},
        }
        self.revision = ConfigurationRevision(1, parse_configuration(document))

    def store(self, rows: Sequence[LabelRow]) -> None:
        """Write rows as the archive does: by the day they matured."""
        days: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            prefix = day_prefix(LABELS, MODEL, row.matured_at.date())
            days.setdefault(prefix, []).append(row.to_row())
        for prefix, of_day in days.items():
            self.lake.write_lines(f"{prefix}all.jsonl.gz", of_day)

    def retrain(self, as_of: datetime, number: int) -> None:
        """Go through a run's steps; what passes the gate serves."""
        run = RetrainingRun(
            model=MODEL, decision_id=f"decision-{number}", fencing_token=number, as_of=as_of, reason="a month passed"
        )
        taken = take_snapshot(self.lake, self.revision, as_of)
        if not isinstance(taken, Manifest):
            return
        self.registry.put_dataset(MODEL, taken.record)
        configuration = self.revision.configuration
        shared: dict[str, Any] = {
            "run": run,
            "manifest": taken,
            "configuration": configuration,
            "code_version": "bench",
        }
        trained = [
            train_candidate(self.lake, TrainingJob(candidate=candidate, **shared)).to_plain()
            for candidate in configuration.candidates
        ]
        record = validate(self.lake, self.registry, ValidationJob(trained=trained, **shared), _smoke)
        if record.verdict is Verdict.PROMOTE:
            audit = AuditInfo(reason=run.reason, actor="bench", at=as_of, decision_id=run.decision_id)
            self.registry.move_pointer(MODEL, promote(self.registry.pointer(MODEL), servable(record), audit))

    def serving(self) -> LoadedVersion | None:
        """Load the version that serves."""
        pointer = self.registry.pointer(MODEL)
        return None if pointer is None else load_artifact(self.lake, pointer.artifact_key, pointer.artifact_digest)

    def eager(self, rows: Sequence[LabelRow], as_of: datetime) -> LoadedVersion:
        """Train a model on every label known in the window, matured or not."""
        start = as_of - self.revision.configuration.training.window
        known = [row for row in rows if start <= row.occurred_at and row.known_at <= as_of]
        features = self.revision.configuration.feature_types
        schema = Schema(
            model=MODEL,
            version="eager",
            task=Task.BINARY,
            metric=Metric.ACCURACY,
            features=features,
            classes=("0", "1"),
        )
        frame = to_frame([row.features for row in known], features)
        targets = np.array([row.value for row in known], dtype=np.intp)
        return LoadedVersion(schema, fit(build(Candidate.LOGISTIC_REGRESSION, schema, frame, 7), frame, targets))


def _smoke(content: bytes, digest: str, rows: Rows) -> SmokeRun:
    return smoke_run(content, digest, rows, perf_counter)


def _label_rows(stream: Stream, months: int, rng: np.random.Generator) -> list[LabelRow]:
    count = ROWS_A_MONTH * months
    times = np.sort(rng.uniform(0, months, size=count))
    values = stream.draw(count, rng)
    positive = rng.uniform(size=count) < stream.chance(values, times)
    delays = np.minimum(rng.exponential(QUICK, size=count), WINDOW.days - 1.0)
    return [
        _label_row(position, START + float(times[position]) * MONTH, values[position], bool(positive[position]), delay)
        for position, delay in enumerate(delays.tolist())
    ]


def _label_row(position: int, occurred_at: datetime, values: Floats, is_positive: bool, delay: float) -> LabelRow:
    due = occurred_at + WINDOW
    return LabelRow(
        model=MODEL,
        prediction_id=f"p{position:06d}",
        features={"first": float(values[0]), "second": float(values[1])},
        score=0.5,
        decision=1,
        model_version="v0",
        occurred_at=occurred_at,
        outcome_due_at=due,
        seq=1,
        value=int(is_positive),
        status=LabelStatus.FINAL,
        kind="action" if is_positive else "default",
        rules_revision=1,
        known_at=occurred_at + timedelta(days=delay) if is_positive else due,
    )


def _accuracy(version: LoadedVersion, values: Floats, chance: Floats) -> float:
    """Compute how often the decisions on some rows are right in expectation, over their possible labels."""
    answers = version.predict(pd.DataFrame({"first": values[:, 0], "second": values[:, 1]}))
    return float(np.where(answers.decisions == 1, chance, 1 - chance).mean())


def _worst(ours: Sequence[list[float]], theirs: Sequence[list[float]]) -> float:
    gaps = np.concatenate([np.subtract(one, other) for one, other in zip(ours, theirs, strict=True)])
    return round(100 * float(gaps.min()), 2)


if __name__ == "__main__":
    print_by_seeds("The loop on a stream whose negatives come late.", measure, SEEDS)

"""The holdout beside live traffic where outcomes are due at dates of their own: ``python -m bench.cohorts``.

Bookings are kept or cancelled; which it is, is due on the day of arrival, in one of the streams sooner where they are
cancelled. What is booked far ahead follows other rules, and is harder to tell. A first version is trained on the
product's own snapshot: what it scores on the holdout is set beside what it scores live on the next two months, and
beside a model of all bookings of the window, whose outcomes only hindsight has ("offline"). By ``training.maturity``;
0.01 takes each row once it is due. None where the snapshot is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import fmean
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
from hindsight.registry.schema import Schema
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.training.fitting.labelled_frame import load_part
from hindsight.training.models.candidates import build, fit
from hindsight.training.models.scoring import LoadedVersion

MODEL = "bookings"
START = datetime(2025, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HISTORY, LIVE, A_DAY = 400, 60, 40
MEDIAN, SPREAD, LONGEST = 39.0, 0.9, 300.0
"""Days from a booking to its arrival: the median, the deviation of their logarithm, and the most."""
SHARES = (0.01, 0.8)
SEEDS = (1, 2, 3)
WINDOWS = (90, 150, 200, 300)
STREAMS = {"due at arrival": 1.0, "cancelled sooner": 0.5}
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bookings:
    """Bookings in order of time: features, the chance to be cancelled, what became of each, and the days until due."""

    day: Floats
    frame: pd.DataFrame
    chance: Floats
    cancelled: npt.NDArray[np.bool_]
    delay: Floats

    @classmethod
    def draw(cls, sooner: float, rng: np.random.Generator) -> "Bookings":
        """Draw bookings; of a cancelled one the outcome is due after that part of its lead at the earliest."""
        count = (HISTORY + LIVE) * A_DAY
        lead = np.minimum(rng.lognormal(np.log(MEDIAN), SPREAD, count), LONGEST)
        price = rng.normal(size=count)
        far = np.tanh(3 * np.log(lead / MEDIAN))
        chance = 1 / (1 + np.exp(-(2.5 - 2 * far) * (0.3 - far * price)))
        cancelled = rng.uniform(size=count) < chance
        delay = np.where(cancelled, lead * rng.uniform(sooner, 1, count), lead)
        frame = pd.DataFrame({"lead": lead, "price": price})
        return cls(np.arange(count) / A_DAY, frame, chance, cancelled, delay)

    def at(self, first: float, last: float) -> npt.NDArray[np.intp]:
        """Locate the bookings of some days."""
        return np.flatnonzero((self.day >= first) & (self.day < last))


@dataclass(frozen=True, slots=True)
class Trial:
    """Accuracies of a version: on its holdout, live, and live that of a model of the whole window; its rows."""

    holdout: float
    live: float
    offline: float
    rows: int


def measure(seeds: Sequence[int] = SEEDS) -> dict[str, Any]:
    """Measure how far the holdout is from live, and live from the model of hindsight, in points; means of the seeds."""
    found: dict[str, Any] = {}
    for stream, sooner in STREAMS.items():
        for window in WINDOWS:
            for share in SHARES:
                trials = [_trial(Bookings.draw(sooner, np.random.default_rng(seed)), window, share) for seed in seeds]
                known = [trial for trial in trials if trial is not None]
                found[f"{stream}, P{window}D, maturity {share}"] = _summary(known) if known else None
    return found


def _summary(trials: Sequence[Trial]) -> dict[str, float]:
    return {
        "holdout": round(100 * fmean(trial.holdout for trial in trials), 1),
        "live": round(100 * fmean(trial.live for trial in trials), 1),
        "offline": round(100 * fmean(trial.offline for trial in trials), 1),
        "worst_gap": round(100 * max(abs(trial.holdout - trial.live) for trial in trials), 1),
        "rows": round(fmean(trial.rows for trial in trials)),
        "trials": len(trials),
    }


def _trial(bookings: Bookings, window: int, share: float) -> Trial | None:
    document = {
        "model": MODEL,
        "task": "binary",
        "features": {"lead": {"type": "numeric"}, "price": {"type": "numeric"}},
        "labels": {"rules": [{"event": "cancelled", "kind": "outcome", "window": "P300D"}]},
        "training": {"window": f"P{window}D", "maturity": share},
        "retention": "P500D",
    }
    revision = ConfigurationRevision(1, parse_configuration(document))
    lake = InMemoryLake()
    known = np.flatnonzero(bookings.day + bookings.delay <= HISTORY)
    days: dict[str, list[dict[str, Any]]] = {}
    for place in known.tolist():
        row = _row(bookings, place)
        days.setdefault(day_prefix(LABELS, MODEL, row.matured_at.date()), []).append(row.to_row())
    for prefix, rows in days.items():
        lake.write_lines(f"{prefix}all.jsonl.gz", rows)
    taken = take_snapshot(lake, revision, START + HISTORY * DAY)
    if not isinstance(taken, Manifest):
        return None
    features = revision.configuration.feature_types
    train, holdout = (load_part(lake, taken, part, features, revision.configuration) for part in ("train", "holdout"))
    version = _fitted(features, train.frame, train.labels)
    live = bookings.at(HISTORY, HISTORY + LIVE)
    whole = bookings.at(HISTORY - window, HISTORY)
    best = _fitted(features, bookings.frame.iloc[whole], bookings.cancelled[whole].astype(np.intp))
    right = version.predict(holdout.frame).decisions == holdout.labels
    return Trial(
        float(right.mean()), _accuracy(version, bookings, live), _accuracy(best, bookings, live), len(train.labels)
    )


def _fitted(features: Any, frame: pd.DataFrame, labels: Any) -> LoadedVersion:
    schema = Schema(
        model=MODEL, version="v", task=Task.BINARY, metric=Metric.ACCURACY, features=features, classes=("0", "1")
    )
    return LoadedVersion(schema, fit(build(Candidate.GRADIENT_BOOSTING, schema, frame, 7), frame, labels))


def _accuracy(version: LoadedVersion, bookings: Bookings, places: npt.NDArray[np.intp]) -> float:
    chance = bookings.chance[places]
    decisions = version.predict(bookings.frame.iloc[places]).decisions
    return float(np.where(decisions == 1, chance, 1 - chance).mean())


def _row(bookings: Bookings, place: int) -> LabelRow:
    occurred_at = START + float(bookings.day[place]) * DAY
    due = occurred_at + float(bookings.delay[place]) * DAY
    return LabelRow(
        model=MODEL,
        prediction_id=f"b{place:06d}",
        features={name: bookings.frame[name].to_numpy()[place].item() for name in ("lead", "price")},
        score=0.5,
        decision=1,
        model_version="v0",
        occurred_at=occurred_at,
        outcome_due_at=due,
        seq=1,
        value=int(bookings.cancelled[place]),
        status=LabelStatus.FINAL,
        kind="outcome",
        rules_revision=1,
        known_at=due,
    )


if __name__ == "__main__":
    print_by_seeds("The holdout beside live traffic where outcomes are due late.", measure, SEEDS)

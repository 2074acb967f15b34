"""The objects that a day of traffic leaves in the lake, played through four shards of the predictions table's stream.

The product's own archive, profiler and packer do the work; only time is simulated. Run it with
``python -m bench.objects_a_day``; ``measure`` is what other measurements call.
"""

import json
import random
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from rich.table import Table

from bench.counted_lake import CountedLake
from bench.figures import publish
from hindsight.config.parse import parse_configuration
from hindsight.config.store import ConfigurationRevision, ConfigurationStore
from hindsight.entities.label import Label, LabelRecord, LabelStatus
from hindsight.entities.prediction import Prediction, PredictionKey
from hindsight.label_records.window import labels_in_window
from hindsight.labels.archiving.archive import Archive, LabelChange
from hindsight.labels.archiving.new_label_counts import NewLabel
from hindsight.labels.archiving.new_labels import NewLabels
from hindsight.labels.store import LabelStore
from hindsight.lake.object_store import LABELS, PREDICTIONS, PROFILES, Lake, day_prefix
from hindsight.lake.packer import MAX_OPEN, PACK_BYTES, Packer
from hindsight.profiles.logs.hourly import window_profile
from hindsight.profiles.logs.log_profiler import LogProfiler
from local.preflight.quotas import BYTES_AN_EVENT
from local.template import load_template

OUT = Path("out/bench/objects-a-day.json")
MODEL = "busy"
DAY = datetime(2026, 3, 2, tzinfo=UTC)
SHARDS = 4
FEATURES = 20
OUTCOME_DELAY = timedelta(hours=1)
# What Lambda hands over in one call; a change of the stream takes about so many times the bytes of its row.
EVENT_BYTES = 6 * 2**20
EVENT_TO_ROW = 2.5
BATCH_ROWS = {PREDICTIONS: 2_500, LABELS: 10_000}
MESSAGES = 100  # that the profiler takes at once
# What a day and kind is to stay within.
MAX_A_DAY = 2_000
KINDS = (PREDICTIONS, LABELS, PROFILES)


@dataclass(frozen=True, slots=True)
class Play:
    """Traffic of one model: so many predictions a second, each with a label, for some hours of a day."""

    rate: float = 4.0
    hours: int = 24
    shards: int = SHARDS
    window_seconds: int = 300
    seed: int = 14


class Configurations:
    """The one model there is."""

    @cached_property
    def _revision(self) -> ConfigurationRevision:
        document = {
            "model": MODEL,
            "task": "binary",
            "features": {f"feature_{place:02d}": {"type": "numeric"} for place in range(FEATURES)},
            "labels": {"rules": [{"event": "outcome", "kind": "outcome", "window": "PT1H"}]},
        }
        return ConfigurationRevision(1, parse_configuration(document))

    def models(self) -> list[str]:
        """List its name."""
        return [MODEL]

    def current(self, _model: str) -> ConfigurationRevision:
        """Build its configuration."""
        return self._revision


class _Store:
    """A store that has every prediction that it is asked for."""

    def __init__(self, predictions: Sequence[Prediction]) -> None:
        self._found = {prediction.key: prediction for prediction in predictions}

    def predictions(self, keys: Sequence[PredictionKey]) -> dict[PredictionKey, Prediction]:
        """Load predictions by their keys."""
        return {key: self._found[key] for key in keys}


class _NoNewLabels:
    """A counter that counts no new labels: they are in a table."""

    def note(self, labels: Iterable[NewLabel]) -> None:
        """Take labels."""
        list(labels)


def measure(play: Play | None = None) -> dict[str, int]:
    """Play a day and count its objects: those that were written, and those that are there once it is packed."""
    with tempfile.TemporaryDirectory(prefix="objects-") as folder:
        return _Player(play or Play(window_seconds=default_window()), Path(folder)).run()


def default_window() -> int:
    """Compute the batching window of a deployment with default parameters, in seconds."""
    return int(load_template()["Parameters"]["ArchiveWindowSeconds"]["Default"])


def reckon(rate: float, row_bytes: float, kind: str, window_seconds: int) -> dict[str, int]:
    """Compute the objects a day and kind of a rate of predictions, from the bytes of a row."""
    largest = min(BATCH_ROWS[kind], EVENT_BYTES / (EVENT_TO_ROW * row_bytes))
    batch_rows = min(largest, rate * window_seconds / SHARDS)
    written = rate * 86_400 / batch_rows
    full = rate * 86_400 * row_bytes / PACK_BYTES[kind]
    waiting = written / 24
    return {
        "written": round(written),
        "after_packing": round(full) + MAX_OPEN,
        "at_most": round(full + waiting) + MAX_OPEN,
    }


def last_rate(row_bytes: float, kind: str, most: int) -> float:
    """Compute the rate beyond which full packs, which grow with the bytes alone, are more than so many a day."""
    return (most - MAX_OPEN) * PACK_BYTES[kind] / (86_400 * row_bytes)


def last_feedback_rate(megabytes: int, most: int) -> float:
    """Compute the rate of events beyond which buffers of a size make more objects than so many a day."""
    return most * megabytes * 2**20 / (86_400 * BYTES_AN_EVENT)


class _Player:
    def __init__(self, play: Play, folder: Path) -> None:
        self._play = play
        self._counted = CountedLake(folder)
        self._lake = cast("Lake", self._counted)
        self._configurations = cast("ConfigurationStore", Configurations())
        self._archive = Archive(self._lake)
        self._profiler = LogProfiler(self._lake, self._configurations, pause=lambda _: None)
        self._packer = Packer(self._lake)
        self._random = random.Random(play.seed)
        self._announced = set[str]()
        self._most = dict.fromkeys(KINDS, 0)
        self._sequence = 0
        self._rows = 0

    def run(self) -> dict[str, int]:
        for hour in range(self._play.hours):
            for minute in self._windows(hour):
                for _ in range(self._play.shards):
                    self._write_batch(minute)
            # Only packing makes objects fewer.
            self._most = {kind: max(self._most[kind], self._objects(kind)) for kind in KINDS}
            self._profile()
            self._packer.sweep(MODEL, DAY + timedelta(hours=hour + 1), lambda: True)
            self._profile()
        return self._figures()

    def _windows(self, hour: int) -> Iterator[datetime]:
        begin = DAY + timedelta(hours=hour)
        for second in range(0, 3_600, self._play.window_seconds):
            yield begin + timedelta(seconds=second)

    def _write_batch(self, moment: datetime) -> None:
        count = round(self._play.rate * self._play.window_seconds / self._play.shards)
        predictions = [self._prediction(moment, place, count) for place in range(count)]
        self._sequence += 1
        name = f"{self._sequence:021d}"
        self._archive.write_predictions(name, predictions)
        changes = [LabelChange(one.key, _label(one), one.received_at) for one in predictions]
        self._archive.write_labels(
            name, changes, cast("LabelStore", _Store(predictions)), cast("NewLabels", _NoNewLabels())
        )
        self._rows += count

    def _prediction(self, moment: datetime, place: int, count: int) -> Prediction:
        at = moment + timedelta(seconds=self._play.window_seconds * place / count)
        # Labels are archived as they fall due: an hour later, in the same batches.
        return Prediction(
            model=MODEL,
            prediction_id=f"{self._sequence:06d}-{place:06d}",
            features={f"feature_{number:02d}": round(self._random.gauss(0, 1), 6) for number in range(FEATURES)},
            score=round(self._random.random(), 6),
            decision=1,
            model_version="v20260301T000000Z-0123456789ab",
            occurred_at=at,
            received_at=at,
            outcome_due_at=min(at + OUTCOME_DELAY, DAY + timedelta(hours=23, minutes=59)),
            body_digest="d",
        )

    def _profile(self) -> None:
        """Profile what is new, as notifications of it would have it."""
        fresh = sorted(set(self._lake.keys(day_prefix(PREDICTIONS, MODEL, DAY.date()))) - self._announced)
        for first in range(0, len(fresh), MESSAGES):
            report = self._profiler.profile(fresh[first : first + MESSAGES])
            if report.failures:
                raise next(iter(report.failures.values()))
        self._announced.update(fresh)

    def _objects(self, kind: str) -> int:
        return self._counted.count(day_prefix(kind, MODEL, DAY.date()))

    def _figures(self) -> dict[str, int]:
        end = DAY + timedelta(days=1)
        left = {kind: self._objects(kind) for kind in KINDS}
        written = dict(self._counted.written)
        self._counted.requests.clear()
        labels = labels_in_window(self._lake, MODEL, end, timedelta(days=1), ()).rows
        check = self._counted.requests["get"] + self._counted.requests["list"]
        profiled = window_profile(self._lake, MODEL, DAY, end).all.rows
        if not len(labels) == profiled == self._rows:
            raise AssertionError(f"{self._rows} rows were played, {profiled} are profiled, {len(labels)} labelled")
        return {
            "objects_a_day_at_4_per_second": max(left.values()),
            "most_objects_at_once": max(self._most.values()),
            "rows": self._rows,
            **{f"{kind}_left": count for kind, count in left.items()},
            **{f"{kind}_written": written[kind] for kind in KINDS},
            "requests_of_an_hourly_check": check,
            "predictions_bytes_a_row": self._bytes_a_row(PREDICTIONS),
            "labels_bytes_a_row": self._bytes_a_row(LABELS),
        }

    def _bytes_a_row(self, kind: str) -> int:
        [key, *_] = self._lake.keys(day_prefix(kind, MODEL, DAY.date()))
        rows = list(self._lake.read_lines(key))
        return round(sum(len(json.dumps(row, separators=(",", ":"))) + 1 for row in rows) / len(rows))


def _label(prediction: Prediction) -> LabelRecord:
    return LabelRecord(
        seq=1,
        label=Label(value=1, status=LabelStatus.FINAL, kind="outcome", event="outcome"),
        rules_revision=1,
        known_at=prediction.occurred_at,
    )


def _shown(figures: dict[str, Any]) -> Table:
    table = Table("what", "number", title="Objects a day in the lake")
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), f"{value:,}" if isinstance(value, int) else json.dumps(value))
    return table


def main() -> None:
    """Measure and publish; higher rates are computed from the bytes of a row."""
    window = default_window()
    figures: dict[str, Any] = {"window_seconds": window, "shards": SHARDS, **measure()}
    for rate in (4, 400):
        for kind in (PREDICTIONS, LABELS):
            row_bytes = figures[f"{kind}_bytes_a_row"]
            figures[f"{kind}_reckoned_at_{rate}_per_second"] = reckon(rate, row_bytes, kind, window)
    for kind in (PREDICTIONS, LABELS):
        figures[f"{kind}_a_second_at_most_{MAX_A_DAY}"] = last_rate(figures[f"{kind}_bytes_a_row"], kind, MAX_A_DAY)
    for megabytes in (5, 16):
        figures[f"feedback_a_second_of_{megabytes}_megabytes"] = last_feedback_rate(megabytes, MAX_A_DAY)
    publish(figures, _shown, OUT)


if __name__ == "__main__":
    main()

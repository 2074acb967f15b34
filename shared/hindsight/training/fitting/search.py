"""The search for better settings: tried on the past, judged on what came after it, cheap ones first."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from hindsight.config.metrics import Task
from hindsight.config.training import Candidate
from hindsight.evaluation.metrics import Floats
from hindsight.registry.schema import Schema
from hindsight.training.fitting.paired_losses import Truth, is_better, loss_name, losses_of_chances, losses_of_values
from hindsight.training.fitting.pipeline_spec import PipelineSpec
from hindsight.training.fitting.search_space import Settings, settings_to_try
from hindsight.training.fitting.validation_split import ValidationSplit, newest, thinned
from hindsight.training.models.scoring import LoadedVersion

Stopwatch = Callable[[], float]

MIN_LATER_ROWS = 400  # on fewer, settings that differ by less than a tenth of their loss cannot be distinguished
_MAX_ROWS, _MAX_LATER_ROWS = 100_000, 20_000
_MIN_RUNG = 3_000
_SHARE_KEPT = 3
_EVERY = 5  # rounds of boosting between two looks at how well they do

TRIALS, SECONDS, ROWS, NOTHING = "trials", "seconds", "too_few_rows", "nothing_to_try"


@dataclass(frozen=True, slots=True)
class Trial:
    """Settings, on how many rows they were last tried, and the mean loss on later rows."""

    settings: Settings
    rows: int
    loss: float


@dataclass(frozen=True, slots=True)
class SearchOutcome:
    """The settings to train with, none for the defaults; every trial, the defaults' first; and what ended the search.

    The same rows and seed give the same outcome, unless ``seconds`` ended it: then it depends on the machine.
    """

    settings: Settings
    trials: tuple[Trial, ...]
    loss: str
    ended_by: str


def search(spec: PipelineSpec, split: ValidationSplit, stopwatch: Stopwatch | None = None) -> SearchOutcome:
    """Search the settings that do best on the later rows; the defaults stay unless others are significantly better.

    By successive halving (Jamieson and Talwalkar, 2016): all settings are tried on the newest of the earlier rows, the
    best third on three times as many, up to a hundred thousand. How many trees are grown is chosen on the later rows
    too. ``stopwatch`` returns seconds from any start; without one the search takes as long as its trials.
    """
    training, loss = spec.training, loss_name(spec.schema)
    rows = min(len(split.earlier.labels), _MAX_ROWS)
    tried = settings_to_try(spec.candidate, spec.schema, rows, training.seed, training.search.trials)
    if len(tried) == 1:
        return SearchOutcome({}, (), loss, NOTHING)
    if len(split.later.labels) < MIN_LATER_ROWS:
        return SearchOutcome({}, (), loss, ROWS)
    course = _Course(spec, replace(split, later=thinned(split.later, _MAX_LATER_ROWS)))
    clock = _Clock(stopwatch, training.search.seconds)
    trials: dict[int, Trial] = {}
    compared: dict[int, _Run] = {}
    alive: Sequence[int] = range(len(tried))
    for size in _rungs(rows):
        runs: dict[int, _Run] = {}
        for number in alive:
            if not clock.allows_another():
                break
            runs[number] = course.run(tried[number], size)
            trials[number] = Trial(runs[number].settings, size, course.truth.mean(runs[number].losses))
        # A rung that time cut short compares what it has only if no smaller one has compared everything.
        compared = runs if len(runs) == len(alive) or not compared else compared
        if clock.is_over:
            break
        alive = _survivors(trials, alive)
    chosen = _choose(compared, course.truth)
    tried_out = tuple(trials[number] for number in sorted(trials))
    return SearchOutcome(chosen, tried_out, loss, SECONDS if clock.is_over else TRIALS)


@dataclass(frozen=True, slots=True)
class _Run:
    """Settings, with the number of trees found, and the loss of every later row."""

    settings: Settings
    losses: Floats


@dataclass(slots=True)
class _Clock:
    """The time spent so far, and whether another trial as long as the longest would still end in time."""

    stopwatch: Stopwatch | None
    seconds: float
    longest: float = 0.0
    is_over: bool = False
    start: float | None = None
    last: float = 0.0

    def allows_another(self) -> bool:
        if self.stopwatch is None:
            return True
        now = self.stopwatch()
        if self.start is None:
            self.start = self.last = now
            return True
        self.longest, self.last = max(self.longest, now - self.last), now
        self.is_over = now - self.start + self.longest > self.seconds
        return not self.is_over


class _Course:
    """The rows that settings are tried on."""

    def __init__(self, spec: PipelineSpec, split: ValidationSplit) -> None:
        self._spec, self._split = spec, split
        self.truth: Truth = split.truth(spec.training)

    def run(self, settings: Settings, size: int) -> _Run:
        """Train with settings on the newest rows and compute the losses of the later ones."""
        version = self._spec.with_settings(settings).train(newest(self._split.earlier, size))
        frame = self._split.later.frame
        if not settings or self._spec.candidate is not Candidate.GRADIENT_BOOSTING:
            return _Run(settings, _losses(version, frame, self.truth))
        stages = ((trees, losses) for trees, losses in _staged_losses(version, frame, self.truth))
        trees, losses = min(stages, key=lambda stage: self.truth.mean(stage[1]))
        return _Run({**settings, "max_iter": trees}, losses)


def _losses(version: LoadedVersion, frame: pd.DataFrame, truth: Truth) -> Floats:
    if version.schema.task is Task.REGRESSION:
        return losses_of_values(version.predict(frame).scores, truth, version.schema)
    return losses_of_chances(version.chances(frame), truth, version.schema)


def _staged_losses(version: LoadedVersion, frame: pd.DataFrame, truth: Truth) -> Iterator[tuple[int, Floats]]:
    """Compute the losses with the first trees of those grown, for every fifth number of trees."""
    columns, estimator, schema = version.pipeline[:-1].transform(frame), version.pipeline[-1], version.schema
    stages = enumerate(_stages(estimator, columns, schema), start=1)
    for trees, predictions in islice(stages, _EVERY - 1, None, _EVERY):
        if schema.task is Task.REGRESSION:
            yield trees, losses_of_values(predictions, truth, schema)
            continue
        chances = np.zeros((len(frame), len(schema.classes)))
        chances[:, np.asarray(estimator.classes_, dtype=np.intp)] = predictions
        recalibrated = chances if version.recalibration is None else version.recalibration.apply(chances)
        yield trees, losses_of_chances(recalibrated, truth, schema)


def _stages(estimator: Any, columns: Any, schema: Schema) -> Iterator[Floats]:
    if schema.task is Task.REGRESSION:
        yield from estimator.staged_predict(columns)
    else:
        yield from estimator.staged_predict_proba(columns)


def _rungs(rows: int) -> list[int]:
    """Compute the numbers of rows that settings are tried on, round by round.

    >>> _rungs(2_000), _rungs(100_000)
    ([2000], [11111, 33333, 100000])
    """
    sizes = [rows]
    while len(sizes) < 3 and sizes[0] // _SHARE_KEPT >= _MIN_RUNG:
        sizes.insert(0, sizes[0] // _SHARE_KEPT)
    return sizes


def _survivors(trials: Mapping[int, Trial], alive: Sequence[int]) -> list[int]:
    """Keep the best third of the settings; the defaults, the baseline of the comparison, always."""
    best = sorted(alive, key=lambda number: trials[number].loss)[: max(1, len(alive) // _SHARE_KEPT)]
    return sorted({0, *best})


def _choose(runs: Mapping[int, _Run], truth: Truth) -> Settings:
    best = min(runs, key=lambda number: truth.mean(runs[number].losses))
    return runs[best].settings if is_better(runs[best].losses, runs[0].losses, truth) else runs[0].settings

"""Better settings for a candidate: tried on the past, judged on what came after it, cheap ones first."""

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
from hindsight.training.fitting.pipeline_spec import Recipe
from hindsight.training.fitting.search_space import Settings, settings_to_try
from hindsight.training.fitting.validation_split import Rehearsal, newest, thinned
from hindsight.training.models.scoring import LoadedVersion

Stopwatch = Callable[[], float]

LEAST_LATER_ROWS = 400  # on fewer, settings that differ by less than a tenth of their loss cannot be told apart
_MOST_ROWS, _MOST_LATER_ROWS = 100_000, 20_000
_LEAST_RUNG = 3_000
_SHARE_KEPT = 3
_EVERY = 5  # rounds of boosting between two looks at how well they do

TRIALS, SECONDS, ROWS, NOTHING = "trials", "seconds", "too_few_rows", "nothing_to_try"


@dataclass(frozen=True, slots=True)
class Trial:
    """Settings, on how many rows they were last tried, and the mean loss on later rows."""

    settings: Settings
    rows: int
    loss: float

    def to_json(self) -> dict[str, Any]:
        """Return the trial as JSON objects."""
        return {"settings": dict(self.settings), "rows": self.rows, "loss": self.loss}


@dataclass(frozen=True, slots=True)
class SearchOutcome:
    """The settings to train with, none for the defaults; every trial, the defaults' first; and what ended the search.

    The same rows and seed give the same outcome, unless ``seconds`` ended it: then it depends on the machine.
    """

    settings: Settings
    trials: tuple[Trial, ...]
    loss: str
    ended_by: str

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as JSON objects."""
        return {
            "settings": dict(self.settings),
            "trials": [trial.to_json() for trial in self.trials],
            "loss": self.loss,
            "ended_by": self.ended_by,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "SearchOutcome":
        """Return the outcome that ``to_json`` showed."""
        trials = tuple(Trial(**trial) for trial in document["trials"])
        return cls(document["settings"], trials, document["loss"], document["ended_by"])


def search(recipe: Recipe, rehearsal: Rehearsal, stopwatch: Stopwatch | None = None) -> SearchOutcome:
    """Return the settings that did best on the later rows, the defaults unless others were better beyond doubt.

    By successive halving (Jamieson and Talwalkar, 2016): all settings are tried on the newest of the earlier rows, the
    best third on three times as many, up to a hundred thousand. How many trees are grown is told by the later rows
    too. ``stopwatch`` returns seconds from any start; without one the search takes as long as its trials.
    """
    training, loss = recipe.training, loss_name(recipe.schema)
    rows = min(len(rehearsal.earlier.labels), _MOST_ROWS)
    tried = settings_to_try(recipe.candidate, recipe.schema, rows, training.seed, training.search.trials)
    if len(tried) == 1:
        return SearchOutcome({}, (), loss, NOTHING)
    if len(rehearsal.later.labels) < LEAST_LATER_ROWS:
        return SearchOutcome({}, (), loss, ROWS)
    course = _Course(recipe, replace(rehearsal, later=thinned(rehearsal.later, _MOST_LATER_ROWS)))
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
    told = tuple(trials[number] for number in sorted(trials))
    return SearchOutcome(chosen, told, loss, SECONDS if clock.is_over else TRIALS)


@dataclass(frozen=True, slots=True)
class _Run:
    """Settings, with the number of trees told, and the loss of every later row."""

    settings: Settings
    losses: Floats


@dataclass(slots=True)
class _Clock:
    """How long has been tried, and whether another trial as long as the longest would still end in time."""

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

    def __init__(self, recipe: Recipe, rehearsal: Rehearsal) -> None:
        self._recipe, self._rehearsal = recipe, rehearsal
        self.truth: Truth = rehearsal.truth(recipe.training)

    def run(self, settings: Settings, size: int) -> _Run:
        """Train under settings on the newest rows and return the losses of the later ones."""
        version = self._recipe.under(settings).train(newest(self._rehearsal.earlier, size))
        frame = self._rehearsal.later.frame
        if not settings or self._recipe.candidate is not Candidate.GRADIENT_BOOSTING:
            return _Run(settings, _losses(version, frame, self.truth))
        stages = ((trees, losses) for trees, losses in _staged_losses(version, frame, self.truth))
        trees, losses = min(stages, key=lambda stage: self.truth.mean(stage[1]))
        return _Run({**settings, "max_iter": trees}, losses)


def _losses(version: LoadedVersion, frame: pd.DataFrame, truth: Truth) -> Floats:
    if version.schema.task is Task.REGRESSION:
        return losses_of_values(version.answer(frame).scores, truth, version.schema)
    return losses_of_chances(version.chances(frame), truth, version.schema)


def _staged_losses(version: LoadedVersion, frame: pd.DataFrame, truth: Truth) -> Iterator[tuple[int, Floats]]:
    """Yield a number of trees and the losses with so many of those that were grown, for every fifth number."""
    columns, estimator, schema = version.pipeline[:-1].transform(frame), version.pipeline[-1], version.schema
    stages = enumerate(_stages(estimator, columns, schema), start=1)
    for trees, answers in islice(stages, _EVERY - 1, None, _EVERY):
        if schema.task is Task.REGRESSION:
            yield trees, losses_of_values(answers, truth, schema)
            continue
        chances = np.zeros((len(frame), len(schema.classes)))
        chances[:, np.asarray(estimator.classes_, dtype=np.intp)] = answers
        recalibrated = chances if version.recalibration is None else version.recalibration.apply(chances)
        yield trees, losses_of_chances(recalibrated, truth, schema)


def _stages(estimator: Any, columns: Any, schema: Schema) -> Iterator[Floats]:
    if schema.task is Task.REGRESSION:
        yield from estimator.staged_predict(columns)
    else:
        yield from estimator.staged_predict_proba(columns)


def _rungs(rows: int) -> list[int]:
    """Return on how many rows settings are tried, round by round.

    >>> _rungs(2_000), _rungs(100_000)
    ([2000], [11111, 33333, 100000])
    """
    sizes = [rows]
    while len(sizes) < 3 and sizes[0] // _SHARE_KEPT >= _LEAST_RUNG:
        sizes.insert(0, sizes[0] // _SHARE_KEPT)
    return sizes


def _survivors(trials: Mapping[int, Trial], alive: Sequence[int]) -> list[int]:
    """Return the best third of the settings; the defaults, which others have to be compared with, always."""
    best = sorted(alive, key=lambda number: trials[number].loss)[: max(1, len(alive) // _SHARE_KEPT)]
    return sorted({0, *best})


def _choose(runs: Mapping[int, _Run], truth: Truth) -> Settings:
    best = min(runs, key=lambda number: truth.mean(runs[number].losses))
    return runs[best].settings if is_better(runs[best].losses, runs[0].losses, truth) else runs[0].settings

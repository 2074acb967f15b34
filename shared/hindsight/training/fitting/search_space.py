"""The settings of the built-in candidates that are tried: the defaults first, then others, always the same ones."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from hindsight.config.metrics import Task
from hindsight.config.training import Candidate
from hindsight.registry.schema import Schema
from hindsight.training.models.candidates import rounds

# How strong the penalty of a linear model is, against the default's, in powers of ten: near ones first.
_POWERS = (1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5)
_DEFAULT_RATE = 0.08

Settings = Mapping[str, Any]


def settings_to_try(candidate: Candidate, schema: Schema, rows: int, seed: int, count: int) -> list[Settings]:
    """List up to ``count`` settings for a training on a number of rows; the first are the defaults, none changed.

    Of linear models the penalty, of trees how fast, deep and cautious they learn: drawn at random, since few settings
    matter and one does not know which (Bergstra and Bengio, 2012).
    """
    others = _of_trees(schema, rows, seed) if candidate is Candidate.GRADIENT_BOOSTING else _of_linear(schema)
    return [{}, *islice(others, count - 1)] if candidate is not Candidate.CUSTOM else [{}]


def _of_linear(schema: Schema) -> Iterator[Settings]:
    for power in _POWERS:
        yield {"alpha": 10.0**power} if schema.task is Task.REGRESSION else {"C": 10.0**-power}


def _of_trees(schema: Schema, rows: int, seed: int) -> Iterator[Settings]:
    rng = np.random.default_rng(seed)
    while True:
        rate = float(np.exp(rng.uniform(np.log(0.03), np.log(0.3))))
        longer = min(3.0, max(0.5, _DEFAULT_RATE / rate))
        yield {
            "learning_rate": round(rate, 4),
            # The most there may be; how many of them are grown is chosen on the later rows.
            "max_iter": round(rounds(schema, rows) * longer),
            "max_leaf_nodes": int(rng.choice([4, 7, 15, 31, 63])),
            "min_samples_leaf": int(np.exp(rng.uniform(np.log(5), np.log(100)))),
            "l2_regularization": round(float(np.exp(rng.uniform(np.log(0.1), np.log(30.0)))), 3),
            "max_features": float(rng.choice([0.3, 0.6, 1.0])),
        }
